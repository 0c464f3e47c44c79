import type { BatchState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { wakeForSignal } from '../statements/wake.ts';
import { sweepBatch } from './sweep-batch.ts';

const READ_STATE = 'SELECT state FROM batches WHERE id = :batch_id';

const DECIDE = `INSERT INTO decisions (at, type, batch_seq, count, message, details)
SELECT :now, 'CANCELLING', b.seq, sum(s.leased), :by || ' cancels batch ' || b.id || iif(sum(s.leased) = 0, '.', ': ' || sum(s.leased)
    || iif(sum(s.leased) = 1, ' task is stopped.', ' tasks are stopped.')), json_object('by', :by)
  FROM batches b JOIN stages s ON s.batch_seq = b.seq WHERE b.id = :batch_id AND b.state IN ('active', 'paused') GROUP BY b.seq`;

const CLOSE_BATCH = `UPDATE batches SET state = 'cancelling' WHERE id = :batch_id AND state IN ('active', 'paused') RETURNING seq`;

const THIS_BATCH = "(SELECT seq FROM batches WHERE id = :batch_id AND state = 'cancelling')";

/** The gate: nothing of the batch can be claimed any more, whatever its size. */
const CLOSE_STAGES = `UPDATE stages SET runnable = 0, expanded = 1, retry = NULL WHERE batch_seq = ${THIS_BATCH}`;

/** Items that have not become tasks never will. */
const CLOSE_LISTS = `UPDATE lists SET count = cursor WHERE batch_seq = ${THIS_BATCH} AND cursor < count`;
const DROP_CHUNKS = `DELETE FROM list_chunks WHERE list_id IN (SELECT id FROM lists WHERE batch_seq = ${THIS_BATCH})`;

/**
 * A leased task keeps its lease, and so its place on the machine, until its processes are gone. One that is being
 * aborted is cancelled too, by the same end of its processes. Found by what agents hold: a stage has rows without end.
 */
const STOP_LEASED = `UPDATE tasks SET stop = iif(stop IS NULL, 1, 2 - stop % 2)
  WHERE (stage_id, ordinal) IN (SELECT t.stage_id, t.ordinal FROM agents a CROSS JOIN stages s CROSS JOIN tasks t INDEXED BY tasks_leased
    WHERE s.batch_seq = ${THIS_BATCH} AND s.leased > 0 AND t.agent_id = a.id AND t.state = 'leased' AND t.stage_id = s.id)
    AND (stop IS NULL OR stop > 2)`;

/** CANCEL: closes the gate and signals what runs in one batch; the waiting rows follow in swept chunks. */
export async function cancelBatch(
  db: Database,
  params: { batch_id: string; by?: string; now: number },
): Promise<
  | { ok: true; state: BatchState }
  | { ok: false; reason: 'not_found' | 'already_ended'; state: BatchState | null }
> {
  const results = await db.batch(
    [
      ...[READ_STATE, DECIDE, CLOSE_BATCH, CLOSE_STAGES, CLOSE_LISTS, DROP_CHUNKS, STOP_LEASED].map((sql) =>
        bindStatement(sql, { ...params, by: params.by ?? 'planfleet' }),
      ),
      wakeForSignal(),
    ],
    'write',
  );
  const [before] = readRows<{ state: BatchState }>(results[0]);
  if (before === undefined) return { ok: false, reason: 'not_found', state: null };
  if (before.state !== 'active' && before.state !== 'paused' && before.state !== 'cancelling') {
    return { ok: false, reason: 'already_ended', state: before.state };
  }
  // One chunk at once, so that a small batch is cancelled when this answers; the tick does the rest.
  const { state } = await sweepBatch(db, params);
  return { ok: true, state };
}
