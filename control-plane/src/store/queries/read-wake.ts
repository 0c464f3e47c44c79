import { bindStatement, type Database, readRows } from '../database.ts';

const READ_WAKE = 'SELECT wake FROM brain WHERE id = 1';

/** The number that moves whenever something becomes claimable or is to be stopped. One row, read every second. */
export async function readWake(db: Database): Promise<number> {
  const [result] = await db.batch([bindStatement(READ_WAKE, {})], 'read');
  return readRows<{ wake: number }>(result)[0]?.wake ?? 0;
}
