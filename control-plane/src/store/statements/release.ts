import { bindStatement, type Statement } from '../database.ts';
import { allSucceeded, sharesItem } from './shared-items.ts';

/** Tasks that share items with what was reported, and whose item predecessors have all succeeded now. Facts only: a repeat finds nothing. */
const RELEASED = `finished(s, o) AS (SELECT value->>0, value->>1 FROM json_each(:reports)),
below(s, o) AS MATERIALIZED (
  SELECT DISTINCT d.stage_id, d.ordinal FROM finished f
    JOIN stage_edges e ON e.from_stage = f.s AND e.kind = 'item'
    CROSS JOIN stages ended ON ended.id = f.s CROSS JOIN stages g ON g.id = e.to_stage
    CROSS JOIN tasks d ON d.stage_id = g.id AND ${sharesItem('d', 'g', 'f.o', 'ended')} AND +d.state = 'waiting'),
released AS MATERIALIZED (
  SELECT below.s, below.o FROM below CROSS JOIN stages own ON own.id = below.s
  WHERE NOT EXISTS (
    SELECT 1 FROM stage_edges p CROSS JOIN stages above ON above.id = p.from_stage
    WHERE p.to_stage = below.s AND p.kind = 'item' AND NOT ${allSucceeded('own', 'below.o', 'above')}))`;

const COUNT = `WITH ${RELEASED}, c AS (SELECT s, count(*) AS n FROM released GROUP BY s)
UPDATE stages SET waiting = waiting - c.n, ready = ready + c.n FROM c WHERE stages.id = c.s`;

const FLIP = `WITH ${RELEASED}
UPDATE tasks SET state = 'ready' FROM released WHERE tasks.stage_id = released.s AND tasks.ordinal = released.o`;

/** RELEASE: waiting -> ready along item edges. `reports` begins each row with [stage, ordinal]. */
export function release(reports: string): Statement[] {
  return [COUNT, FLIP].map((sql) => bindStatement(sql, { reports }));
}
