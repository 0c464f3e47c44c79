import { ApiError, parseTaskId, type TaskAddress } from '@planfleet/shared-types';
import type { Database } from '../../store/database.ts';
import { countStageTasks } from '../../store/queries/count-stage-tasks.ts';

export const TASK_ID_HINT =
  'A task id is BATCH:STAGE:ORDINAL, like 20261122_142233:transcribe:0; GET /v1/batches/BATCH/tasks (planfleet tasks BATCH) lists them.';

/** The task in the address. Without an ordinal it is the only one of its stage: one of many is never guessed. */
export async function readTaskId(db: Database, id: string): Promise<TaskAddress> {
  const address = parseTaskId(id);
  if (address !== null) {
    const total = /:\d+$/.test(id) ? 1 : await countStageTasks(db, address);
    if (total <= 1) return address;
    throw new ApiError('not_found', `${id} is a stage of ${total} tasks, and names none of them.`, {
      hint: `Write ${id}:0 to ${id}:${total - 1}; GET /v1/batches/${address.batch_id}/tasks?stage=${address.stage_key} (planfleet tasks ${address.batch_id} --stage ${address.stage_key}) lists them.`,
    });
  }
  throw new ApiError('not_found', 'This is not the id of a task.', {
    hint: TASK_ID_HINT,
  });
}

export function noTask(id: string): never {
  throw new ApiError('not_found', `There is no task ${id}.`, { hint: TASK_ID_HINT });
}
