import { bindStatement, type Statement } from '../database.ts';

/** Everything, at any depth, that waits for an item which was abandoned or skipped upstream. */
const SKIPPED = `finished(s, o) AS (SELECT value->>0, value->>1 FROM json_each(:reports)),
below(s, o) AS (
  SELECT e.to_stage, f.o FROM finished f
    JOIN tasks t ON t.stage_id = f.s AND t.ordinal = f.o AND +t.state IN ('abandoned', 'skipped')
    JOIN stage_edges e ON e.from_stage = f.s AND e.kind = 'item'
  UNION
  SELECT e.to_stage, below.o FROM below JOIN stage_edges e ON e.from_stage = below.s AND e.kind = 'item'),
hit AS MATERIALIZED (SELECT below.s, below.o FROM below CROSS JOIN tasks t
  WHERE t.stage_id = below.s AND t.ordinal = below.o AND +t.state = 'waiting')`;

const COUNT = `WITH RECURSIVE ${SKIPPED}, c AS (SELECT s, count(*) AS n FROM hit GROUP BY s)
UPDATE stages SET waiting = waiting - c.n, skipped = skipped + c.n FROM c WHERE stages.id = c.s`;

const FLIP = `WITH RECURSIVE ${SKIPPED}
UPDATE tasks SET state = 'skipped' WHERE (stage_id, ordinal) IN (SELECT s, o FROM hit)`;

/** SKIP: waiting -> skipped below abandoned items. `reports` begins each row with [stage, ordinal]. */
export function skip(reports: string): Statement[] {
  return [COUNT, FLIP].map((sql) => bindStatement(sql, { reports }));
}
