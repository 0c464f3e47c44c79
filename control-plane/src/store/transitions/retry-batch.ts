import type { BatchState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { RETRYABLE, reopenBatchStages } from '../statements/retry.ts';
import { sweepRetry } from './sweep-retry.ts';

const READ = `SELECT b.state, coalesce(sum(s.abandoned), 0) AS abandoned, coalesce(sum(s.skipped), 0) AS skipped
  FROM batches b LEFT JOIN stages s ON s.batch_seq = b.seq WHERE b.id = :batch_id GROUP BY b.seq`;

const HAS_LOSSES = 'EXISTS (SELECT 1 FROM stages s WHERE s.batch_seq = batches.seq AND s.abandoned > 0)';

const DECIDE = `INSERT INTO decisions (at, type, batch_seq, count, message, details)
SELECT :now, 'RETRIED', batches.seq, sum(s.abandoned + s.skipped), :by || ' retries batch ' || batches.id || ': ' || sum(s.abandoned) || ' abandoned'
    || iif(sum(s.skipped) > 0, ' and ' || sum(s.skipped) || ' skipped', '') || iif(sum(s.abandoned + s.skipped) = 1, ' task.', ' tasks.'),
    json_object('by', :by, 'state', batches.state)
  FROM batches JOIN stages s ON s.batch_seq = batches.seq
  WHERE batches.id = :batch_id AND batches.${RETRYABLE} AND ${HAS_LOSSES} GROUP BY batches.seq`;

/** One that ended while its parent was paused is not paused any more: who pauses it from now on is obeyed. */
const REOPEN_BATCH = `UPDATE batches SET state = iif(state = 'paused', 'paused', 'active'), finished_at = NULL,
    parent_paused = iif(state IN ('succeeded', 'failed'), 0, parent_paused)
  WHERE id = :batch_id AND ${RETRYABLE} AND ${HAS_LOSSES} RETURNING state`;

export type RetryResult =
  | { readonly ok: true; readonly state: BatchState; readonly tasks: number; readonly more: boolean }
  | {
      readonly ok: false;
      readonly reason: 'not_found' | 'cancelled' | 'nothing_to_retry';
      readonly state: BatchState | null;
    };

/**
 * RETRY of a batch: everything that it abandoned is ready again with all its tries, and what was skipped for want of
 * it waits again; what succeeded stays. In all stages, also those within `max_failures`: who asks for a retry wants
 * those tasks. One write opens the stages; the rows follow in chunks (`more`), which the brain goes on with.
 */
export async function retryBatch(
  db: Database,
  params: { batch_id: string; by: string; now: number },
): Promise<RetryResult> {
  const results = await db.batch(
    [...[READ, DECIDE, REOPEN_BATCH].map((sql) => bindStatement(sql, params)), ...reopenBatchStages(params)],
    'write',
  );
  const [before] = readRows<{ state: BatchState; abandoned: number; skipped: number }>(results[0]);
  if (before === undefined) return { ok: false, reason: 'not_found', state: null };
  const [reopened] = readRows<{ state: BatchState }>(results[2]);
  if (reopened === undefined) {
    const isCancelled = before.state === 'cancelling' || before.state === 'cancelled';
    return { ok: false, reason: isCancelled ? 'cancelled' : 'nothing_to_retry', state: before.state };
  }
  // One chunk at once, so that a small batch is re-opened when this answers.
  const { more } = await sweepRetry(db, params);
  return { ok: true, state: reopened.state, tasks: before.abandoned + before.skipped, more };
}
