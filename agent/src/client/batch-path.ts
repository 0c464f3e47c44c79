import { batchIdSchema, parseTaskId } from '@planfleet/shared-types';
import { usageError } from './cli-error.ts';

/** Address of a batch; an id of the wrong shape is told without asking. */
export function batchPath(id: string, rest = ''): string {
  if (!batchIdSchema.safeParse(id).success)
    throw usageError(
      `"${id}" is not a batch`,
      'A batch id looks like 20261122_142233; planfleet status lists them.',
    );
  return `/v1/batches/${id}${rest}`;
}

/** Whether a text names a task (or tries to), not a batch: what both have is told apart by the colon. */
export function namesTask(text: string): boolean {
  return text.includes(':');
}

/** Address of a task, from `BATCH:stage:ordinal` or `BATCH:stage`. */
export function taskPath(text: string, rest = ''): string {
  if (parseTaskId(text) === null)
    throw usageError(
      `"${text}" is not a task`,
      'Write BATCH:stage:ordinal, or BATCH:stage for a stage of one task; planfleet tasks BATCH lists them.',
    );
  // As it was typed: whether a stage has one task only, the control plane knows.
  return `/v1/tasks/${text}${rest}`;
}
