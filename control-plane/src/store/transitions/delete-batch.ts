import type { BatchState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';

const READ_STATE = 'SELECT state FROM batches WHERE id = :batch_id';

/**
 * The batch gives up its id: whatever looks for it by that finds nothing, in every query there is and will be. The
 * new one begins with the old one's second and number, so that no batch gets the old id while agents may still
 * have its folder. Its idempotency key is free again.
 */
const HIDE = `UPDATE batches SET deleted_at = :now, idempotency_key = NULL,
    id = CASE WHEN length(id) = 15 THEN id || '_01' ELSE id END || '~' || seq
  WHERE id = :batch_id AND state IN ('succeeded', 'failed', 'cancelled') RETURNING seq`;

/** DELETE: an ended batch is gone from all views; the tick removes its rows. */
export async function deleteBatch(
  db: Database,
  params: { batch_id: string; now: number },
): Promise<
  { ok: true } | { ok: false; reason: 'not_found' } | { ok: false; reason: 'not_ended'; state: BatchState }
> {
  const results = await db.batch(
    [READ_STATE, HIDE].map((sql) => bindStatement(sql, params)),
    'write',
  );
  if (results[1]?.rows.length === 1) return { ok: true };
  const [before] = readRows<{ state: BatchState }>(results[0]);
  return before === undefined
    ? { ok: false, reason: 'not_found' }
    : { ok: false, reason: 'not_ended', state: before.state };
}
