import type { BatchView, StageView } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { readBatchRow, selectBatch } from './list-batches.ts';
import { readStageRows, selectStages } from './list-stages.ts';

export interface BatchSnapshot {
  readonly batch: BatchView;
  readonly stages: readonly StageView[];
  /** Id of the newest decision about it; 0: none. */
  readonly last_decision: number;
}

const LAST_DECISION = `SELECT max(id) AS id FROM decisions
  WHERE batch_seq = (SELECT seq FROM batches WHERE id = :id) AND batch_seq IS NOT NULL`;

/** A batch and its stages as they are at one time; null: there is no such batch. */
export async function readSnapshot(db: Database, batchId: string): Promise<BatchSnapshot | null> {
  const [found, stages, decision] = await db.batch(
    [selectBatch(batchId), selectStages(batchId), bindStatement(LAST_DECISION, { id: batchId })],
    'read',
  );
  const batch = readBatchRow(found);
  const last_decision = readRows<{ id: number | null }>(decision)[0]?.id ?? 0;
  return batch === null ? null : { batch, stages: readStageRows(stages), last_decision };
}
