import { bindStatement, type Database, readRows } from '../database.ts';

/**
 * An id is the second of the submission. While the row is there no other batch can get it; this much later no
 * instance's clock shows that second any more.
 */
const ID_TAKEN_MS = 10_000;

const FIND = `SELECT seq FROM batches WHERE deleted_at IS NOT NULL AND created_at < :before ORDER BY seq LIMIT 100`;

/** Deleted batches whose rows may be removed. */
export async function findDeleted(db: Database, now: number): Promise<number[]> {
  const [result] = await db.batch([bindStatement(FIND, { before: now - ID_TAKEN_MS })], 'read');
  return readRows<{ seq: number }>(result).map((row) => row.seq);
}
