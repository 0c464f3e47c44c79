import { bindStatement, type Database } from '../database.ts';

/** A follower says this often that it is there; one that died is forgotten after twice as long. */
export const FOLLOWER_NOTE_MS = 10_000;

const NOTE_FOLLOWER = `UPDATE live_logs SET followed_until = :until
  WHERE stage_id = :stage AND ordinal = :ordinal AND attempt = :attempt`;

/** Somebody reads along: the agent is asked to send its chunks sooner, whichever instance it talks to. */
export async function noteLogFollower(
  db: Database,
  params: { stage: number; ordinal: number; attempt: number; now: number },
): Promise<void> {
  const bound = { ...params, until: params.now + 2 * FOLLOWER_NOTE_MS };
  await db.batch([bindStatement(NOTE_FOLLOWER, bound)], 'write');
}
