import { bindStatement, type Database } from '../database.ts';

export interface TickParams {
  readonly now: number;
  readonly tick_ms: number;
  readonly lease_ms: number;
}

/** A tick stops by itself after 20 s; a dead one is in nobody's way for longer. */
export const TICK_LEASE_MS = 20_000;

/**
 * After a silence of three intervals the control plane was down and agents could not be heard: nothing expires before
 * one full lease and three intervals from now, so that they can re-present theirs. Noted also by a tick that finds
 * another one at work (or dead): what counts is that a control plane was there.
 */
const NOTE_PRESENCE = `UPDATE brain SET last_tick_at = :now,
    expire_not_before = CASE WHEN last_tick_at < :now - 3 * :tick_ms
      THEN max(expire_not_before, :now + :lease_ms + 3 * :tick_ms) ELSE expire_not_before END
  WHERE id = 1`;

const BEGIN = 'UPDATE brain SET tick_until = :until WHERE id = 1 AND tick_until <= :now RETURNING 1 AS begun';

const END = 'UPDATE brain SET tick_until = :now WHERE id = 1 AND tick_until = :until';

/** Takes the tick's lease. False: another instance is at it. */
export async function beginTick(db: Database, params: TickParams): Promise<boolean> {
  const bound = { ...params, until: params.now + TICK_LEASE_MS };
  const [, begun] = await db.batch(
    [NOTE_PRESENCE, BEGIN].map((sql) => bindStatement(sql, bound)),
    'write',
  );
  return begun?.rows.length === 1;
}

/** Gives the lease back. `begun_at` is the time that `beginTick` was given: it names this tick's lease. */
export async function endTick(db: Database, params: { begun_at: number; now: number }): Promise<void> {
  const bound = { now: params.now, until: params.begun_at + TICK_LEASE_MS };
  await db.batch([bindStatement(END, bound)], 'write');
}
