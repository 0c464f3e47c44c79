import type { TaskCounts } from '@planfleet/shared-types';

export type CountsRow = { [K in keyof TaskCounts]: number };

/** The counters alone, in the order in which a task goes through them. */
export function countsView(row: CountsRow): TaskCounts {
  const { total, waiting, ready, leased, backoff, succeeded, abandoned, skipped, cancelled } = row;
  return { total, waiting, ready, leased, backoff, succeeded, abandoned, skipped, cancelled };
}
