import type { Database } from '../store/database.ts';
import { findChildrenToCancel } from '../store/queries/find-children.ts';
import { cancelBatch } from '../store/transitions/cancel-batch.ts';
import { finishChildren } from '../store/transitions/finish-children.ts';
import { startChildren } from './start-children.ts';

/** Cancels at a time: each is a handful of statements. */
const CANCELS = 20;

export interface ChildrenDeps {
  readonly db: Database;
  readonly clock: { now(): number };
  readonly random?: () => number;
}

export interface ChildrenAdvanced {
  readonly started: number;
  readonly ended: number;
  readonly cancelled: number;
}

/**
 * Passes the ends of child batches on to their parents, cancels the children of cancelled batches, and starts those
 * that are due, as far as the budget goes. Safe beside itself: each change is guarded by the attempt it is for.
 */
export async function advanceChildren(deps: ChildrenDeps, budget: () => boolean): Promise<ChildrenAdvanced> {
  const { db, clock, random = () => 0.5 } = deps;
  let ended = 0;
  while (budget()) {
    const finished = await finishChildren(db, { now: clock.now(), random });
    ended += finished;
    if (finished === 0) break;
  }
  let cancelled = 0;
  for (const batch_id of await findChildrenToCancel(db, CANCELS)) {
    if (!budget()) break;
    await cancelBatch(db, { batch_id, now: clock.now() });
    cancelled += 1;
  }
  const started = await startChildren(deps, budget);
  return { started, ended, cancelled };
}
