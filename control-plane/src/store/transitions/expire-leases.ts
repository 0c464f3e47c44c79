import { type Database, type ResultSet, readRows, toJson } from '../database.ts';
import { expire, LOST_FLIPPED } from '../statements/expire.ts';
import { settle } from '../statements/settle.ts';
import { skip } from '../statements/skip.ts';
import { settleEmptyStages } from './settle-stages.ts';

interface LostRow {
  readonly stage: number;
  readonly ordinal: number;
  readonly state: string;
}

/** Ends up to 64 leases of agents that were not heard of in time; returns how many. */
export async function expireLeases(db: Database, params: { now: number; tick_ms: number }): Promise<number> {
  const results = await db.batch([...expire(params)], 'write');
  const lost = results[LOST_FLIPPED];
  await settleLost(db, lost, params.now);
  return lost?.rows.length ?? 0;
}

/** Tasks that were abandoned or cancelled by the loss may have been the last of their stage. */
export async function settleLost(db: Database, lost: ResultSet | undefined, now: number): Promise<void> {
  const ended = readRows<LostRow>(lost).filter((row) => row.state !== 'ready');
  if (ended.length === 0) return;
  const rows = toJson(ended.map((row) => [row.stage, row.ordinal]));
  const skips = skip(rows);
  const stages = [...new Set(ended.map((row) => row.stage))];
  const results = await db.batch([...skips, ...settle({ stages, now })], 'write');
  await settleEmptyStages(db, results, skips.length, now);
}
