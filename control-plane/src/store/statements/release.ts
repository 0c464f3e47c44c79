import { bindStatement, type Statement } from '../database.ts';

/** Tasks of the same item whose item predecessors have all succeeded now. Facts only: a repeat finds nothing. */
const RELEASED = `finished(s, o) AS (SELECT value->>0, value->>1 FROM json_each(:reports)),
released AS MATERIALIZED (
  SELECT DISTINCT d.stage_id AS s, d.ordinal AS o FROM finished f
    JOIN stage_edges e ON e.from_stage = f.s AND e.kind = 'item'
    JOIN tasks d ON d.stage_id = e.to_stage AND d.ordinal = f.o
  WHERE +d.state = 'waiting' AND NOT EXISTS (
    SELECT 1 FROM stage_edges p JOIN tasks u ON u.stage_id = p.from_stage AND u.ordinal = d.ordinal
    WHERE p.to_stage = d.stage_id AND p.kind = 'item' AND u.state <> 'succeeded'))`;

const COUNT = `WITH ${RELEASED}, c AS (SELECT s, count(*) AS n FROM released GROUP BY s)
UPDATE stages SET waiting = waiting - c.n, ready = ready + c.n FROM c WHERE stages.id = c.s`;

const FLIP = `WITH ${RELEASED}
UPDATE tasks SET state = 'ready' FROM released WHERE tasks.stage_id = released.s AND tasks.ordinal = released.o`;

/** RELEASE: waiting -> ready along item edges. `reports` begins each row with [stage, ordinal]. */
export function release(reports: string): Statement[] {
  return [COUNT, FLIP].map((sql) => bindStatement(sql, { reports }));
}
