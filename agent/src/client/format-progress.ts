import type { BatchView, StageView, TaskCounts } from '@planfleet/shared-types';

/** `extract 12/24 done, 2 running, 1 retrying, 1 failed` */
export function formatStage(stage: StageView): string {
  if (!stage.expanded && stage.total === 0) return `${stage.key} waits for its list`;
  // The list is still being read, so there will be more.
  const total = stage.expanded ? String(stage.total) : `${stage.total}+`;
  return [`${stage.key} ${stage.succeeded}/${total} done`, ...notDone(stage)].join(', ');
}

/** `27 succeeded, 1 failed` of a whole batch. */
export function formatCounts(batch: BatchView): string {
  return [`${batch.succeeded} of ${batch.total} tasks succeeded`, ...notDone(batch)].join(', ');
}

/** The words people use for what the states mean to them. */
function notDone(counts: TaskCounts): string[] {
  const parts: [number, string][] = [
    [counts.leased, 'running'],
    [counts.backoff, 'retrying'],
    [counts.abandoned, 'failed'],
    [counts.skipped, 'skipped'],
    [counts.cancelled, 'cancelled'],
  ];
  return parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
}
