import { bindStatement, type Database, readRows, toJson } from '../database.ts';
import { settle } from '../statements/settle.ts';
import { sharesItem } from '../statements/shared-items.ts';
import { skip } from '../statements/skip.ts';
import { settleEmptyStages } from './settle-stages.ts';

/** Abandoned tasks of live batches with something still waiting below them: a crash came between the two. */
const FIND = `SELECT t.stage_id AS stage, t.ordinal FROM batches b
  JOIN stages s ON s.batch_seq = b.seq AND s.abandoned > 0 AND EXISTS (
    SELECT 1 FROM stage_edges e JOIN stages d ON d.id = e.to_stage AND d.waiting > 0 WHERE e.from_stage = s.id AND e.kind = 'item')
  JOIN tasks t ON t.stage_id = s.id AND t.state = 'abandoned'
  WHERE b.state IN ('active', 'paused') AND EXISTS (
    SELECT 1 FROM stage_edges e CROSS JOIN stages g CROSS JOIN tasks d WHERE e.from_stage = t.stage_id AND e.kind = 'item'
      AND g.id = e.to_stage AND d.stage_id = g.id AND ${sharesItem('d', 'g', 't.ordinal', 's')} AND +d.state = 'waiting')
  LIMIT 500`;

/** The tick's safety net for SKIP; returns how many abandoned tasks it had to see to. */
export async function skipAbandoned(db: Database, params: { now: number }): Promise<number> {
  const [found] = await db.batch([bindStatement(FIND, {})], 'read');
  const rows = readRows<{ stage: number; ordinal: number }>(found);
  if (rows.length === 0) return 0;
  const skips = skip(toJson(rows.map((row) => [row.stage, row.ordinal])));
  const stages = [...new Set(rows.map((row) => row.stage))];
  const results = await db.batch([...skips, ...settle({ stages, now: params.now })], 'write');
  await settleEmptyStages(db, results, skips.length, params.now);
  return rows.length;
}
