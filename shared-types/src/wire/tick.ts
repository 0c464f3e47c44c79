import * as z from 'zod';

const count = z.int().nonnegative();

/** What a tick did; `busy`: another instance was at it and this one did nothing. */
export const tickReportSchema = z.object({
  busy: z.boolean(),
  leases_lost: count,
  chunks_expanded: count,
  retries_released: count,
  tasks_skipped: count,
  stages_settled: count,
  chunks_swept: count,
  logs_dropped: count,
  rows_removed: count,
  chunks_retried: count,
  children_started: count,
  children_ended: count,
  children_cancelled: count,
  children_paused: count,
});
