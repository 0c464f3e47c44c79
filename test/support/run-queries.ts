import type { Database } from '../../control-plane/src/store/database.ts';
import { countStageTasks } from '../../control-plane/src/store/queries/count-stage-tasks.ts';
import { findSubmission } from '../../control-plane/src/store/queries/find-submission.ts';
import { listAgents } from '../../control-plane/src/store/queries/list-agents.ts';
import { listBatches, readBatch } from '../../control-plane/src/store/queries/list-batches.ts';
import { listDecisions } from '../../control-plane/src/store/queries/list-decisions.ts';
import { findFile, listFiles } from '../../control-plane/src/store/queries/list-files.ts';
import {
  listPlanNames,
  listPlans,
  listPlanVersions,
} from '../../control-plane/src/store/queries/list-plans.ts';
import { listStages } from '../../control-plane/src/store/queries/list-stages.ts';
import { listTasks } from '../../control-plane/src/store/queries/list-tasks.ts';
import { listTimeline } from '../../control-plane/src/store/queries/list-timeline.ts';
import { listTokens } from '../../control-plane/src/store/queries/list-tokens.ts';
import { readDemand } from '../../control-plane/src/store/queries/read-demand.ts';
import { findLog, findTaskKey, readLog } from '../../control-plane/src/store/queries/read-log.ts';
import { readMetrics } from '../../control-plane/src/store/queries/read-metrics.ts';
import { readPlanVersion } from '../../control-plane/src/store/queries/read-plan-version.ts';
import { readRevocations } from '../../control-plane/src/store/queries/read-revocations.ts';
import { readSnapshot } from '../../control-plane/src/store/queries/read-snapshot.ts';
import { listAttempts, readTask } from '../../control-plane/src/store/queries/read-task.ts';
import { readWake } from '../../control-plane/src/store/queries/read-wake.ts';
import { registerPlan } from '../../control-plane/src/store/transitions/register-plan.ts';
import { takeLogLines } from '../../control-plane/src/store/transitions/take-log-lines.ts';
import { insertToken, revokeToken } from '../../control-plane/src/store/transitions/tokens.ts';

/** Everything that the HTTP side asks of the database, once, for the test that explains every statement. */
export async function runQueries(db: Database, batch_id: string): Promise<void> {
  const page = { limit: 10, cursor: 'x' };
  await listAgents(db, { ...page, now: 0 });
  await listBatches(db, { limit: 10, before: null });
  await readBatch(db, batch_id);
  await listStages(db, { batch_id, limit: 10, after: null });
  await listTasks(db, { batch_id, state: null, stage: null, limit: 10, after: null });
  const address = { batch_id, stage_key: 'scan', ordinal: 0 };
  await readTask(db, address);
  await listAttempts(db, { address, limit: 10, after: null });
  await listFiles(db, { ...page, batch_id });
  await listFiles(db, { ...page, batch_id, prefix: 'output/' });
  await findFile(db, batch_id, 'x');
  await countStageTasks(db, address);
  await findTaskKey(db, { batch_id, stage_key: 'scan', ordinal: 0 });
  await readLog(db, { stage: 1, ordinal: 0, attempt: 1, offset: 0 });
  await findLog(db, batch_id, 'logs/x');
  await findSubmission(db, { submitted_by: 'x', key: 'x' });
  for (const order of ['newest', 'oldest'] as const) {
    for (const [batch, type] of [
      [null, null],
      [null, 'RETRY'],
      [batch_id, 'RETRY'],
    ] as const)
      await listDecisions(db, { batch_id: batch, type, order, after: null, limit: 10 });
  }
  await takeLogLines(db);
  await readSnapshot(db, batch_id);
  await listTimeline(db, { batch_id, limit: 10, after: null });
  await readMetrics(db);
  await readWake(db);
  await readDemand(db, ['a'], 0);
  await readRevocations(db, 0);
  await listTokens(db, page);
  const plan = { name: 'x', version: null, digest: 'x', bundle: null, markdown: '', files: null };
  await registerPlan(db, { ...plan, registered_by: 'x', now: 0 });
  await readPlanVersion(db, plan);
  await listPlans(db, page);
  await listPlanNames(db);
  await listPlanVersions(db, { name: 'x', limit: 10, before: null });
  await insertToken(db, {
    jti: 'x',
    subject: 'x',
    scopes: ['read'],
    agent: null,
    plans: null,
    expires_at: null,
    now: 0,
  });
  await revokeToken(db, { jti: 'x', now: 0 });
}
