import { bindStatement, type Statement } from '../database.ts';
import { sharesItem } from './shared-items.ts';

/** Everything, at any depth, that shares an item with the tasks `lost(s, o)` and still waits. */
const HIT = `below(s, o) AS (
  SELECT s, o FROM lost
  UNION
  SELECT d.stage_id, d.ordinal FROM below CROSS JOIN stage_edges e ON e.from_stage = below.s AND e.kind = 'item'
    CROSS JOIN stages upper ON upper.id = below.s CROSS JOIN stages g ON g.id = e.to_stage
    CROSS JOIN tasks d ON d.stage_id = g.id AND ${sharesItem('d', 'g', 'below.o', 'upper')}),
hit AS MATERIALIZED (SELECT below.s, below.o FROM below CROSS JOIN tasks t
  WHERE t.stage_id = below.s AND t.ordinal = below.o AND +t.state = 'waiting')`;

/** Tasks that were reported, and are abandoned or skipped. */
const LOST = `finished(s, o) AS (SELECT value->>0, value->>1 FROM json_each(:reports)),
lost(s, o) AS (SELECT f.s, f.o FROM finished f CROSS JOIN tasks t
  WHERE t.stage_id = f.s AND t.ordinal = f.o AND +t.state IN ('abandoned', 'skipped'))`;

/** The two statements that skip what is below the tasks that `ctes` calls lost: the counters first, then the tasks. */
export function skipFrom(ctes: string): [string, string] {
  return [
    `WITH RECURSIVE ${ctes}, ${HIT}, c AS (SELECT s, count(*) AS n FROM hit GROUP BY s)
UPDATE stages SET waiting = waiting - c.n, skipped = skipped + c.n FROM c WHERE stages.id = c.s`,
    `WITH RECURSIVE ${ctes}, ${HIT}
UPDATE tasks SET state = 'skipped' WHERE (stage_id, ordinal) IN (SELECT s, o FROM hit)`,
  ];
}

const SKIP = skipFrom(LOST);

/** SKIP: waiting -> skipped below abandoned items. `reports` begins each row with [stage, ordinal]. */
export function skip(reports: string): Statement[] {
  return SKIP.map((sql) => bindStatement(sql, { reports }));
}
