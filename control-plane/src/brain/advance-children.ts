import type { Database } from '../store/database.ts';
import { findChildrenToChange } from '../store/queries/find-children.ts';
import { cancelBatch } from '../store/transitions/cancel-batch.ts';
import { finishChildren } from '../store/transitions/finish-children.ts';
import { pauseChild, resumePausedChild } from '../store/transitions/pause-child.ts';
import { startChildren } from './start-children.ts';

/** Cancels, pauses and resumes looked up at a time: each is a handful of statements. */
const CHANGES = 20;

export interface ChildrenDeps {
  readonly db: Database;
  readonly clock: { now(): number };
  readonly random?: () => number;
}

export interface ChildrenAdvanced {
  readonly started: number;
  readonly ended: number;
  readonly cancelled: number;
  /** Paused or resumed, like their parents. */
  readonly paused: number;
}

/**
 * Passes the ends of child batches on to their parents, has children follow what was done to their parents, and starts
 * those that are due, as far as the budget goes. Safe beside itself: each change is guarded by the attempt it is for.
 */
export async function advanceChildren(deps: ChildrenDeps, budget: () => boolean): Promise<ChildrenAdvanced> {
  const { db, clock, random = () => 0.5 } = deps;
  let ended = 0;
  while (budget()) {
    const finished = await finishChildren(db, { now: clock.now(), random });
    ended += finished;
    if (finished === 0) break;
  }
  const changed = await changeChildren(deps, budget);
  const started = await startChildren(deps, budget);
  return { started, ended, ...changed };
}

/** Something was done, so that there may be more to do. */
export function hasAdvanced({ started, ended, cancelled, paused }: ChildrenAdvanced): boolean {
  return started + ended + cancelled + paused > 0;
}

async function changeChildren({ db, clock }: ChildrenDeps, budget: () => boolean) {
  const { cancel, pause, resume } = await findChildrenToChange(db, CHANGES);
  const counts = { cancelled: 0, paused: 0 };
  for (const batch_id of cancel) {
    if (!budget()) return counts;
    await cancelBatch(db, { batch_id, by: 'Its parent', now: clock.now() });
    counts.cancelled += 1;
  }
  const changes = [
    ...pause.map((batch_id) => () => pauseChild(db, { batch_id, now: clock.now() })),
    ...resume.map((batch_id) => () => resumePausedChild(db, { batch_id, now: clock.now() })),
  ];
  for (const change of changes) {
    if (!budget()) return counts;
    await change();
    counts.paused += 1;
  }
  return counts;
}
