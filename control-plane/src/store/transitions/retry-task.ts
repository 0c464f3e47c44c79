import type { TaskAddress, TaskState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { ONE_TASK, retryOne } from '../statements/retry.ts';

const READ = `SELECT t.state, b.state AS batch_state FROM batches b JOIN stages s ON s.batch_seq = b.seq AND s.key = :stage_key
    JOIN tasks t ON t.stage_id = s.id AND t.ordinal = :ordinal
  WHERE b.id = :batch_id`;

const DECIDE = `WITH ${ONE_TASK}
INSERT INTO decisions (at, type, batch_seq, stage_id, ordinal, message, details)
SELECT :now, 'RETRIED', s.batch_seq, s.id, picked.o, :by || ' retries ' || s.key || ':' || picked.o || ', which was '
    || iif(picked.was = 'backoff', 'waiting for its next try.', 'given up.'), json_object('by', :by)
  FROM picked JOIN stages s ON s.id = picked.s`;

const REOPEN_BATCH = `WITH ${ONE_TASK}
UPDATE batches SET state = 'active', finished_at = NULL, parent_paused = 0
  WHERE id = :batch_id AND state IN ('succeeded', 'failed') AND EXISTS (SELECT 1 FROM picked)`;

/** RETRY of one task that was given up, or at once of one that waits for its next try. */
export async function retryTask(
  db: Database,
  params: TaskAddress & { by: string; now: number },
): Promise<
  | { ok: true; tasks: number }
  | { ok: false; reason: 'not_found' }
  | { ok: false; reason: 'wrong_state'; state: TaskState; batch_state: string }
> {
  const bound = { ...params };
  const results = await db.batch(
    [...[READ, DECIDE, REOPEN_BATCH].map((sql) => bindStatement(sql, bound)), ...retryOne(bound)],
    'write',
  );
  const [before] = readRows<{ state: TaskState; batch_state: string }>(results[0]);
  if (before === undefined) return { ok: false, reason: 'not_found' };
  const changed = results.at(-1)?.rows.length ?? 0;
  return changed > 0 ? { ok: true, tasks: changed } : { ok: false, reason: 'wrong_state', ...before };
}
