import { ApiError, parseTaskId, type TaskAddress } from '@planfleet/shared-types';

export const TASK_ID_HINT =
  'A task id is BATCH:STAGE:ORDINAL, like 20261122_142233:transcribe:0; GET /v1/batches/BATCH/tasks (planfleet tasks BATCH) lists them.';

/** The task in the address. */
export function readTaskId(id: string): TaskAddress {
  const address = parseTaskId(id);
  if (address !== null) return address;
  throw new ApiError('not_found', 'This is not the id of a task.', {
    hint: TASK_ID_HINT,
  });
}

export function noTask(id: string): never {
  throw new ApiError('not_found', `There is no task ${id}.`, { hint: TASK_ID_HINT });
}
