import { bindStatement, type Database } from '../database.ts';
import { pauseBatch, resumeBatch } from './pause-batch.ts';

/** Before it is paused: one that a crash leaves marked and running is found again, and paused then. */
const MARK = "UPDATE batches SET parent_paused = 1 WHERE id = :batch_id AND state = 'active'";
/** After it runs again: one that is left marked is found again, and nothing is left to do for it. */
const UNMARK = "UPDATE batches SET parent_paused = 0 WHERE id = :batch_id AND state <> 'paused'";

interface Asked {
  readonly batch_id: string;
  readonly now: number;
}

const BY = 'Its parent';

/** PAUSE of a child because its parent is: it runs again when the parent does. */
export async function pauseChild(db: Database, { batch_id, now }: Asked): Promise<void> {
  await db.batch([bindStatement(MARK, { batch_id })], 'write');
  await pauseBatch(db, { batch_id, by: BY, now });
}

/** RESUME of a child whose parent runs again. */
export async function resumePausedChild(db: Database, { batch_id, now }: Asked): Promise<void> {
  await resumeBatch(db, { batch_id, by: BY, now });
  await db.batch([bindStatement(UNMARK, { batch_id })], 'write');
}
