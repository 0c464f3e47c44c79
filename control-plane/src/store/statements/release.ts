import { bindStatement, type Statement } from '../database.ts';
import { allSucceeded, sharesItem } from './shared-items.ts';

/** Of the tasks `candidate(s, o)`: those that wait, and whose item predecessors have all succeeded now. Facts only. */
export const RELEASED = `released AS MATERIALIZED (
  SELECT c.s, c.o FROM candidate c CROSS JOIN tasks d ON d.stage_id = c.s AND d.ordinal = c.o JOIN stages own ON own.id = c.s
  WHERE +d.state = 'waiting' AND NOT EXISTS (
    SELECT 1 FROM stage_edges p CROSS JOIN stages above ON above.id = p.from_stage
    WHERE p.to_stage = c.s AND p.kind = 'item' AND NOT ${allSucceeded('own', 'c.o', 'above')}))`;

/** Tasks that share an item with one that was reported. A repeat finds nothing. */
const BELOW = `finished(s, o) AS (SELECT value->>0, value->>1 FROM json_each(:reports)),
candidate(s, o) AS MATERIALIZED (
  SELECT DISTINCT d.stage_id, d.ordinal FROM finished f
    JOIN stage_edges e ON e.from_stage = f.s AND e.kind = 'item'
    CROSS JOIN stages ended ON ended.id = f.s CROSS JOIN stages g ON g.id = e.to_stage
    CROSS JOIN tasks d ON d.stage_id = g.id AND ${sharesItem('d', 'g', 'f.o', 'ended')})`;

/** The two statements that release what `ctes` calls candidates: the counters first, then the tasks. */
export function releaseFrom(ctes: string): [string, string] {
  return [
    `WITH ${ctes}, ${RELEASED}, c AS (SELECT s, count(*) AS n FROM released GROUP BY s)
UPDATE stages SET waiting = waiting - c.n, ready = ready + c.n FROM c WHERE stages.id = c.s`,
    `WITH ${ctes}, ${RELEASED}
UPDATE tasks SET state = 'ready' FROM released WHERE tasks.stage_id = released.s AND tasks.ordinal = released.o`,
  ];
}

const RELEASE = releaseFrom(BELOW);

/** RELEASE: waiting -> ready along item edges. `reports` begins each row with [stage, ordinal]. */
export function release(reports: string): Statement[] {
  return RELEASE.map((sql) => bindStatement(sql, { reports }));
}
