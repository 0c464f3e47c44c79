import { ApiError, parseTaskId, type TaskAddress } from '@planfleet/shared-types';

/** The task in the address. */
export function readTaskId(id: string): TaskAddress {
  const address = parseTaskId(id);
  if (address !== null) return address;
  throw new ApiError('not_found', 'This is not the id of a task.', {
    hint: 'A task id looks like 20261122_142233:transcribe:0',
  });
}

export function noTask(id: string): never {
  throw new ApiError('not_found', `There is no task ${id}.`);
}
