import { bindStatement, type Database, readRows, type Statement, toJson } from '../database.ts';
import { finish } from '../statements/finish.ts';
import { BRAIN_NAME, HOLD_FLIPPED, type HoldParams, hold, refusalLease } from '../statements/hold.ts';
import { settle } from '../statements/settle.ts';
import { skip } from '../statements/skip.ts';
import { settleEmptyStages } from './settle-stages.ts';
import { type ParentTask, type Submission, submitBatch } from './submit-batch.ts';

const READ_READY = `SELECT 1 AS found FROM stages s CROSS JOIN tasks t
  WHERE s.id = :stage AND s.runnable = 1 AND t.stage_id = s.id AND t.ordinal = :ordinal AND t.state = 'ready' AND t.attempt = :attempt - 1
    AND NOT EXISTS (SELECT 1 FROM batches c WHERE c.parent_stage = :stage AND c.parent_ordinal = :ordinal AND c.state IN ('active','paused','cancelling'))`;

/**
 * Takes a task of type execute_plan and starts its child, in one batch: there is never one without the other, and of
 * two brains that try at once one starts nothing. False: it was the other one, or the task is not to run any more.
 */
export async function startChild(
  db: Database,
  child: Submission & { readonly parent: ParentTask },
): Promise<boolean> {
  const { stage, ordinal, attempt } = child.parent;
  const task = { stage, ordinal, attempt, now: child.now };
  try {
    await submitBatch(db, child, hold(task));
    return true;
  } catch (error) {
    // The schema has refused a child whose task is not held for it: was that it?
    const [ready] = await db.batch([bindStatement(READ_READY, task)], 'read');
    if (readRows(ready).length === 0) return false;
    throw error;
  }
}

const LINK = `UPDATE batches SET parent_attempt = :attempt
  WHERE id = :child_id AND parent_stage = :stage AND parent_ordinal = :ordinal AND parent_attempt < :attempt
    AND EXISTS (SELECT 1 FROM tasks t WHERE t.stage_id = :stage AND t.ordinal = :ordinal AND +t.state = 'leased' AND t.attempt = :attempt)`;

/** A child that has ended already ends this attempt too. */
const PASS_ON = `INSERT INTO child_ends (stage_id, ordinal, attempt, child_id, state)
SELECT parent_stage, parent_ordinal, parent_attempt, id, state FROM batches
  WHERE id = :child_id AND parent_attempt = :attempt AND finished_at IS NOT NULL
ON CONFLICT DO NOTHING`;

/** A child that is gone meanwhile ends it as well. */
const PASS_ON_GONE = `INSERT INTO child_ends (stage_id, ordinal, attempt, child_id, state)
SELECT stage_id, ordinal, attempt, :child_id, 'deleted' FROM tasks
  WHERE stage_id = :stage AND ordinal = :ordinal AND +state = 'leased' AND attempt = :attempt
    AND NOT EXISTS (SELECT 1 FROM batches WHERE id = :child_id)
ON CONFLICT DO NOTHING`;

/** Takes the task for another try with the child of the one before. False: somebody else was faster. */
export async function resumeChild(db: Database, task: HoldParams & { child_id: string }): Promise<boolean> {
  const statements = [
    ...hold(task),
    ...[LINK, PASS_ON, PASS_ON_GONE].map((sql) => bindStatement(sql, { ...task })),
  ];
  const results = await db.batch(statements, 'write');
  return results[HOLD_FLIPPED]?.rows.length === 1;
}

/** Takes the task and ends it: no child can be started for it, and another try would find the same. */
export async function refuseChild(db: Database, task: HoldParams & { message: string }): Promise<void> {
  const { stage, ordinal, attempt, now, message } = task;
  const lease = refusalLease(attempt);
  const reports = toJson([[stage, ordinal, lease, 'failed', [], 1]]);
  const statements: Statement[] = [
    ...hold(task, lease),
    ...finish({
      agent: BRAIN_NAME,
      reports,
      details: toJson([['definition', message, null, null, null, now, '']]),
      files: [],
      brings_failures: true,
      logs: [],
      brings_lists: false,
      now,
      seed: 0,
    }),
    ...skip(reports),
  ];
  const results = await db.batch([...statements, ...settle({ stages: [stage], now })], 'write');
  await settleEmptyStages(db, results, statements.length, now);
}
