import { type Database, type ResultSet, readRows } from '../database.ts';
import { SETTLE_OPENED, type SettleParams, settle } from '../statements/settle.ts';

/**
 * Ends stages, opens their successors, ends batches; goes on while stages open that have nothing to do (a list of
 * no items), each of which ends at once and may open others.
 */
export async function settleStages(db: Database, params: SettleParams): Promise<void> {
  const results = await db.batch([...settle(params)], 'write');
  await settleEmptyStages(db, results, 0, params.now);
}

/** The same continuation for a batch whose settle statements began at `offset`. */
export async function settleEmptyStages(
  db: Database,
  results: readonly ResultSet[],
  offset: number,
  now: number,
): Promise<void> {
  let empty = readEmptyStages(results[offset + SETTLE_OPENED]);
  while (empty.length > 0) {
    const next = await db.batch([...settle({ stages: empty, now })], 'write');
    empty = readEmptyStages(next[SETTLE_OPENED]);
  }
}

function readEmptyStages(opened: ResultSet | undefined): number[] {
  return readRows<{ id: number; empty: number }>(opened)
    .filter((row) => Number(row.empty) === 1)
    .map((row) => row.id);
}
