import type { AttemptOrder, AttemptResult } from '../exec/attempt-order.ts';

/** Report of an attempt that never started. */
export function unstartedResult(
  order: AttemptOrder,
  outcome: 'stopped' | 'returned' | 'failed',
  message: string,
  now: number,
): AttemptResult {
  const { stage, ordinal, lease, attempt } = order.task;
  return {
    report: {
      stage,
      ordinal,
      lease,
      attempt,
      outcome,
      error_type: outcome === 'failed' ? 'worker' : null,
      message,
      exit_code: null,
      signal: null,
      tail: '',
      started_at: null,
      ended_at: now,
      lists: [],
      files: [],
    },
    chunk_files: [],
    uploads: [],
  };
}
