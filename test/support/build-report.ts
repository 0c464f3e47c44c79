import type { LeasedTask, Report } from '@planfleet/shared-types';

/** The report of an attempt that has just ended, with what a test changes. */
export function buildReport(
  lease: Pick<LeasedTask, 'stage' | 'ordinal' | 'lease' | 'attempt'>,
  outcome: Report['outcome'],
  now: number,
  change: Partial<Report> = {},
): Report {
  return {
    stage: lease.stage,
    ordinal: lease.ordinal,
    lease: lease.lease,
    attempt: lease.attempt,
    outcome,
    error_type: outcome === 'failed' ? 'worker' : null,
    message: null,
    exit_code: outcome === 'failed' ? 1 : 0,
    signal: null,
    tail: '',
    started_at: now,
    ended_at: now,
    lists: [],
    files: [],
    ...change,
  };
}
