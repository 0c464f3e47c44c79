import { advanceChildren } from '../../control-plane/src/brain/advance-children.ts';
import type { Database } from '../../control-plane/src/store/database.ts';
import { listChildPlans, readChildPlan } from '../../control-plane/src/store/queries/read-child-plan.ts';
import { finishChildren } from '../../control-plane/src/store/transitions/finish-children.ts';
import {
  refuseChild,
  resumeChild,
  startChild,
} from '../../control-plane/src/store/transitions/hold-children.ts';
import { pauseChild, resumePausedChild } from '../../control-plane/src/store/transitions/pause-child.ts';
import { storeChildPlans } from '../../control-plane/src/store/transitions/store-child-plans.ts';
import { submitBatch } from '../../control-plane/src/store/transitions/submit-batch.ts';
import { batchBlueprint, childStage, submission } from './blueprints.ts';

const CHILD =
  '# Plan: Child\n\n## Inputs\n- **IN**: from\n- **OUT**: to (output file)\n\n## Tasks\n### a\n- command: `cp {IN} {OUT}`\n';

/** All that the brain does for child batches, once, for the test that explains every statement. */
export async function runChildren(db: Database, now: number): Promise<void> {
  const plan_digest = '0'.repeat(64);
  await storeChildPlans(db, { plan_digest, folders: new Map([['child', CHILD]]) });
  await readChildPlan(db, { plan_digest, folder: 'child' });
  await listChildPlans(db, plan_digest);
  const stage = childStage('sub', { IN: '{BATCH_PATH}/x', OUT: '{OUT}' });
  const inputs = { OUT: { kind: 'output_file', path: 'out.txt' } } as const;
  const blueprint = batchBlueprint([stage]);
  await submitBatch(db, submission(blueprint, { now, inputs }));
  const clock = { now: () => now };
  await advanceChildren({ db, clock }, () => true);
  const sql = `SELECT parent_stage, id FROM batches WHERE parent_stage IS NOT NULL`;
  const [found] = await db.batch([{ sql, params: {} }], 'read');
  const [parent = 0, child_id = ''] = found?.rows[0] ?? [];
  const task = { stage: Number(parent), ordinal: 0, attempt: 5, now };
  await startChild(db, {
    ...submission(blueprint, { now }),
    parent: { ...task, depth: 1, shares_files: true },
  });
  await resumeChild(db, { ...task, child_id: String(child_id) });
  await refuseChild(db, { ...task, message: 'no' });
  await pauseChild(db, { batch_id: String(child_id), now });
  await resumePausedChild(db, { batch_id: String(child_id), now });
  const ended = `INSERT INTO child_ends VALUES (${Number(parent)}, 0, 1, '${String(child_id)}', 'succeeded')`;
  await db.batch([{ sql: ended, params: {} }], 'write');
  await finishChildren(db, { now, random: () => 0 });
}
