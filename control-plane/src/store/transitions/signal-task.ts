import type { TaskAddress, TaskState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { signalCode } from '../statements/signals.ts';
import { wakeForSignal } from '../statements/wake.ts';

const READ = `SELECT t.state, a.name AS agent, t.stop <= 2 AS cancelled
  FROM batches b JOIN stages s ON s.batch_seq = b.seq AND s.key = :stage_key
    JOIN tasks t ON t.stage_id = s.id AND t.ordinal = :ordinal LEFT JOIN agents a ON a.id = t.agent_id
  WHERE b.id = :batch_id`;

const THIS_STAGE =
  '(SELECT s.id FROM batches b JOIN stages s ON s.batch_seq = b.seq AND s.key = :stage_key WHERE b.id = :batch_id)';

/** Not again, and not in the way of a cancel: that ends the process anyhow. */
const IS_NEWS = "t.state = 'leased' AND (t.stop IS NULL OR (t.stop > 2 AND t.stop < :code))";

const DECIDE = `INSERT INTO decisions (at, type, batch_seq, stage_id, ordinal, attempt, agent, message, details)
SELECT :now, upper(:kind), s.batch_seq, s.id, t.ordinal, t.attempt, a.name,
    :by || iif(:kind = 'kill', ' kills ', ' aborts ') || s.key || ':' || t.ordinal || ' on ' || a.name || '.', json_object('by', :by)
  FROM tasks t JOIN stages s ON s.id = t.stage_id JOIN agents a ON a.id = t.agent_id
  WHERE t.stage_id = ${THIS_STAGE} AND t.ordinal = :ordinal AND ${IS_NEWS}`;

const SIGNAL = `UPDATE tasks AS t SET stop = :code WHERE t.stage_id = ${THIS_STAGE} AND t.ordinal = :ordinal AND ${IS_NEWS}`;

/** ABORT and KILL: the agent ends the processes of a running task, whose attempt then has failed. */
export async function signalTask(
  db: Database,
  params: TaskAddress & { kind: 'abort' | 'kill'; by: string; now: number },
): Promise<
  | { ok: true; agent: string; cancelled: boolean }
  | { ok: false; reason: 'not_found' }
  | { ok: false; reason: 'not_running'; state: TaskState }
> {
  const bound = { ...params, code: signalCode(params.kind) };
  const results = await db.batch(
    [...[READ, DECIDE, SIGNAL].map((sql) => bindStatement(sql, bound)), wakeForSignal()],
    'write',
  );
  const [before] = readRows<{ state: TaskState; agent: string | null; cancelled: number | null }>(results[0]);
  if (before === undefined) return { ok: false, reason: 'not_found' };
  if (before.state !== 'leased' || before.agent === null)
    return { ok: false, reason: 'not_running', state: before.state };
  return { ok: true, agent: before.agent, cancelled: before.cancelled === 1 };
}
