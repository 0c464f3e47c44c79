import { bindStatement, type Database, readRows, toJson } from '../database.ts';
import { IS_CPU } from '../statements/claim.ts';
import { IS_UNTOLD } from '../statements/signals.ts';

export interface WorkQuestion {
  readonly agent: string;
  readonly session: number;
  readonly slots: number;
  readonly have: readonly number[];
  readonly now: number;
}

export interface WorkFound {
  /** Something for this agent: a lane it may take from, a lease it does not know, a signal, or a retry that is due. */
  readonly work: boolean;
  /** Some agent has not been heard of in time. */
  readonly expired: boolean;
}

const LOOK = `WITH me AS MATERIALIZED (SELECT id, labels, storage, draining_at FROM agents WHERE name = :agent AND session = :session),
held AS MATERIALIZED (SELECT t.lease, t.stop FROM me JOIN tasks t ON t.agent_id = me.id AND t.state = 'leased')
SELECT
  EXISTS (SELECT 1 FROM held WHERE ${IS_UNTOLD} OR lease NOT IN (SELECT value FROM json_each(:have)))
  OR (:slots > (SELECT count(*) FROM held) AND EXISTS (SELECT 1 FROM me WHERE draining_at IS NULL) AND (
    EXISTS (SELECT 1 FROM stages s, me WHERE s.ready > 0 AND s.runnable = 1 AND s.${IS_CPU}
      AND (s.storage IS NULL OR s.storage = me.storage)
      AND NOT EXISTS (SELECT 1 FROM json_each(s.labels) l WHERE l.value NOT IN (SELECT value FROM json_each(me.labels))))
    OR EXISTS (SELECT 1 FROM tasks WHERE state = 'backoff' AND not_before <= :now)))
  OR NOT EXISTS (SELECT 1 FROM me) AS work,
  EXISTS (SELECT 1 FROM agents WHERE expires_at < :now) AS expired`;

/** What a long-poll asks before it claims: one cheap read, so that an empty check never takes the write lock. */
export async function readWork(db: Database, question: WorkQuestion): Promise<WorkFound> {
  const params = { ...question, have: toJson(question.have) };
  const [result] = await db.batch([bindStatement(LOOK, params)], 'read');
  const [row] = readRows<{ work: number; expired: number }>(result);
  return { work: Number(row?.work ?? 0) === 1, expired: Number(row?.expired ?? 0) === 1 };
}

/** True when a claim by this agent would bring something (or an expired lease may). */
export async function lookForWork(db: Database, question: WorkQuestion): Promise<boolean> {
  const found = await readWork(db, question);
  return found.work || found.expired;
}
