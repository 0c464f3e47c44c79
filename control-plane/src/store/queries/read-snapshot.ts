import type { BatchView, StageView } from '@planfleet/shared-types';
import type { Database } from '../database.ts';
import { readBatchRow, selectBatch } from './list-batches.ts';
import { readStageRows, selectStages } from './list-stages.ts';

export interface BatchSnapshot {
  readonly batch: BatchView;
  readonly stages: readonly StageView[];
}

/** A batch and its stages as they are at one time; null: there is no such batch. */
export async function readSnapshot(db: Database, batchId: string): Promise<BatchSnapshot | null> {
  const [found, stages] = await db.batch([selectBatch(batchId), selectStages(batchId)], 'read');
  const batch = readBatchRow(found);
  return batch === null ? null : { batch, stages: readStageRows(stages) };
}
