import { bindStatement, type Database, readRows } from '../database.ts';

/** Attempts of one batch of statements; each has some 60 chunks at most. */
const ATTEMPTS = 20;

/**
 * Attempts that have ended, or whose task somebody else has taken. One that was lost is its agent's still, until then;
 * a task that was cancelled or abandoned after that keeps the number of its lease. `live_logs` has a row
 * for each running attempt that has printed something.
 */
const ENDED = `SELECT l.stage_id, l.ordinal, l.attempt FROM live_logs l
    LEFT JOIN tasks t ON t.stage_id = l.stage_id AND t.ordinal = l.ordinal
  WHERE t.lease IS NULL OR t.lease <> l.lease OR t.state NOT IN ('leased', 'ready') ORDER BY l.stage_id, l.ordinal, l.attempt LIMIT ${ATTEMPTS}`;

const READ_ENDED = `SELECT count(*) AS n FROM (${ENDED})`;
const DROP_CHUNKS = `DELETE FROM log_chunks WHERE (stage_id, ordinal, attempt) IN (${ENDED})`;
const DROP_LIVE = `DELETE FROM live_logs WHERE (stage_id, ordinal, attempt) IN (${ENDED})`;

/**
 * Forgets the live output of attempts that are over: it is in their log files then. From the tick and not with
 * the reports, which are the path that every short task pays for. Says how many were dropped.
 */
export async function dropLiveLogs(db: Database): Promise<number> {
  const [found] = await db.batch([bindStatement(READ_ENDED, {})], 'read');
  const count = Number(readRows<{ n: number }>(found)[0]?.n ?? 0);
  if (count === 0) return 0;
  await db.batch(
    [DROP_CHUNKS, DROP_LIVE].map((sql) => bindStatement(sql, {})),
    'write',
  );
  return count;
}
