import { bindStatement, type Database, readRows } from '../database.ts';
import { retryNext } from '../statements/retry.ts';

/** Rows re-opened at a time, over all stages: 4 to 8 ms. */
const ROWS = 1_000;

/** Beyond every ordinal: nothing is left in this stage. */
const END = 1_000_000_000;

const THIS_BATCH = '(SELECT seq FROM batches WHERE id = :batch_id)';

/** What one abandoned task brings along at most: its items in all stages below it. */
const READ_WIDTH = `SELECT count(*) * coalesce(max(group_size), 1) AS n FROM stages WHERE batch_seq = ${THIS_BATCH} AND retry IS NOT NULL`;

/** To the next abandoned task: those behind the cursor were abandoned anew, and are not this retry's. */
const ADVANCE = `UPDATE stages SET retry = coalesce((SELECT t.ordinal FROM tasks t
    WHERE t.stage_id = stages.id AND t.state = 'abandoned' AND t.ordinal >= stages.retry ORDER BY t.ordinal LIMIT 1), ${END})
  WHERE batch_seq = ${THIS_BATCH} AND retry IS NOT NULL`;

/** All stages at once: what one skips is re-opened with what another abandoned. */
const CLOSE = `UPDATE stages SET retry = NULL WHERE batch_seq = ${THIS_BATCH} AND retry IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM stages g WHERE g.batch_seq = ${THIS_BATCH} AND g.retry < ${END})`;

const READ_MORE = `SELECT EXISTS (SELECT 1 FROM stages WHERE batch_seq = ${THIS_BATCH} AND retry IS NOT NULL) AS more`;

/** The next chunk of a batch that is being retried. `more`: rows are left. */
export async function sweepRetry(db: Database, params: { batch_id: string }): Promise<{ more: boolean }> {
  const [width] = await db.batch([bindStatement(READ_WIDTH, params)], 'read');
  const rows = Math.max(1, readRows<{ n: number }>(width)[0]?.n ?? 1);
  const { batch_id } = params;
  const results = await db.batch(
    [
      ...retryNext({ batch_id, chunk: Math.ceil(ROWS / rows) }),
      ...[ADVANCE, CLOSE, READ_MORE].map((sql) => bindStatement(sql, params)),
    ],
    'write',
  );
  return { more: readRows<{ more: number }>(results.at(-1))[0]?.more === 1 };
}
