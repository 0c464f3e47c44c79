import type { BatchView, StageView, TaskCounts } from '@planfleet/shared-types';

/** `extract 12/24 done, 2 running, 1 retrying, 1 failed` */
/** `ended`: the batch has, so that what waits will not be run any more. */
export function formatStage(stage: StageView, ended: boolean): string {
  if (ended && !stage.expanded && stage.total === 0) return `${stage.key} not run`;
  if (!stage.expanded && stage.total === 0) return `${stage.key} waits for its list`;
  // The list is still being read, so there will be more.
  const total = stage.expanded ? String(stage.total) : `${stage.total}+`;
  return [`${stage.key} ${stage.succeeded}/${total} done`, ...notDone(stage, ended)].join(', ');
}

/** `27 succeeded, 1 failed` of a whole batch. */
export function formatCounts(batch: BatchView): string {
  return [`${batch.succeeded} of ${batch.total} tasks succeeded`, ...notDone(batch, hasEnded(batch))].join(
    ', ',
  );
}

export function hasEnded(batch: Pick<BatchView, 'finished_at'>): boolean {
  return batch.finished_at !== null;
}

/** What people are told of a stage or task: in a batch that has ended, nothing waits. */
export function stateWord(state: string, ended: boolean): string {
  return ended && state === 'waiting' ? 'not run' : state;
}

/** The words people use for what the states mean to them. */
function notDone(counts: TaskCounts, ended: boolean): string[] {
  const parts: [number, string][] = [
    [counts.leased, 'running'],
    [counts.backoff, 'retrying'],
    [counts.abandoned, 'failed'],
    [counts.skipped, 'skipped'],
    [counts.cancelled, 'cancelled'],
    [ended ? counts.waiting + counts.ready : 0, 'not run'],
  ];
  return parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
}
