import type { TaskAddress } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';

const COUNT_STAGE_TASKS = `SELECT s.total FROM batches b JOIN stages s ON s.batch_seq = b.seq
  WHERE b.id = :batch_id AND s.key = :stage_key`;

/** How many tasks a stage has so far; 0 where there is no such stage. */
export async function countStageTasks(
  db: Database,
  { batch_id, stage_key }: Pick<TaskAddress, 'batch_id' | 'stage_key'>,
): Promise<number> {
  const [result] = await db.batch([bindStatement(COUNT_STAGE_TASKS, { batch_id, stage_key })], 'read');
  return readRows<{ total: number }>(result)[0]?.total ?? 0;
}
