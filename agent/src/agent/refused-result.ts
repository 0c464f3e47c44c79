import type { AttemptResult } from '../exec/attempt-order.ts';

const REFUSED = 'The control plane refused the report of this attempt';

/**
 * The smallest report that ends the attempt, in place of one that was refused. Null when that is what was
 * refused.
 */
export function refusedResult(result: AttemptResult, reason: string): AttemptResult | null {
  // Its log is told with its tail, which may be what was refused.
  const { log: _, ...report } = result.report;
  if (report.message?.startsWith(REFUSED)) return null;
  return {
    report: {
      ...report,
      outcome: report.outcome === 'succeeded' ? 'failed' : report.outcome,
      error_type: report.outcome === 'succeeded' ? 'worker' : report.error_type,
      message: `${REFUSED}: ${reason}`.slice(0, 1_000),
      tail: '',
      lists: [],
      files: [],
    },
    chunk_files: [],
    uploads: [],
  };
}
