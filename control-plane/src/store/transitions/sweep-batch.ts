import type { BatchState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { settle } from '../statements/settle.ts';

/** Rows swept at a time: 4 to 8 ms, where 100,000 at once block the event loop for 130 to 280 ms. */
const ROWS = 1_000;

const THIS_BATCH = "(SELECT seq FROM batches WHERE id = :batch_id AND state = 'cancelling')";

/** Bounded by the stages' cursors, not by counters: the second statement must see what the first one saw. */
const SWEPT = `swept AS MATERIALIZED (
  SELECT t.stage_id AS s, t.ordinal AS o, t.state FROM stages g CROSS JOIN tasks t
  WHERE g.batch_seq = ${THIS_BATCH} AND g.sweep < g.total AND t.stage_id = g.id
    AND t.ordinal >= g.sweep AND t.ordinal < g.sweep + :chunk AND +t.state IN ('waiting', 'ready', 'backoff'))`;

const COUNT = `WITH ${SWEPT}, c AS (
  SELECT s, count(*) AS n, sum(state = 'waiting') AS w, sum(state = 'ready') AS r, sum(state = 'backoff') AS b FROM swept GROUP BY s)
UPDATE stages SET waiting = waiting - c.w, ready = ready - c.r, backoff = backoff - c.b, cancelled = cancelled + c.n
  FROM c WHERE stages.id = c.s`;

const FLIP = `WITH ${SWEPT}
UPDATE tasks SET state = 'cancelled', not_before = NULL FROM swept WHERE tasks.stage_id = swept.s AND tasks.ordinal = swept.o`;

const ADVANCE = `UPDATE stages SET sweep = sweep + :chunk WHERE batch_seq = ${THIS_BATCH} AND sweep < total`;

const COUNT_STAGES = `SELECT count(*) AS n FROM stages WHERE batch_seq = ${THIS_BATCH} AND sweep < total`;
const READ_STAGES = `SELECT id, sweep < total AS more FROM stages WHERE batch_seq = (SELECT seq FROM batches WHERE id = :batch_id)`;
const READ_STATE = 'SELECT state FROM batches WHERE id = :batch_id';

/** SWEEP: the next chunk of a cancelled batch's waiting, ready and retrying rows. `more`: rows are left. */
export async function sweepBatch(
  db: Database,
  params: { batch_id: string; now: number },
): Promise<{ more: boolean; state: BatchState }> {
  const [width] = await db.batch([bindStatement(COUNT_STAGES, params)], 'read');
  // The same ordinals are swept in all stages, so that many stages take few ordinals each.
  const stages_left = Math.max(1, readRows<{ n: number }>(width)[0]?.n ?? 1);
  const bound = { ...params, chunk: Math.ceil(ROWS / stages_left) };
  const [, , , stages] = await db.batch(
    [COUNT, FLIP, ADVANCE, READ_STAGES].map((sql) => bindStatement(sql, bound)),
    'write',
  );
  const rows = readRows<{ id: number; more: number }>(stages);
  const settled = settle({ stages: rows.slice(0, 1).map((row) => row.id), now: params.now });
  const results = await db.batch([...settled, bindStatement(READ_STATE, params)], 'write');
  const [batch] = readRows<{ state: BatchState }>(results[settled.length]);
  return { more: rows.some((row) => Number(row.more) === 1), state: batch?.state ?? 'cancelled' };
}
