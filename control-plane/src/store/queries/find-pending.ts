import { bindStatement, type Database, readRows } from '../database.ts';

export interface Pending {
  readonly lists: readonly number[];
  /** Batches. */
  readonly cancelling: readonly string[];
  readonly retrying: readonly string[];
}

const LISTS = `SELECT l.id FROM lists l JOIN batches b ON b.seq = l.batch_seq AND b.state IN ('active', 'paused')
  WHERE l.count IS NOT NULL AND l.cursor < l.count LIMIT 100`;
/** Lists of no items whose stages have not been told. */
const EMPTY_LISTS = `SELECT l.id FROM batches b CROSS JOIN stages s CROSS JOIN lists l
  WHERE s.batch_seq = b.seq AND s.expanded = 0 AND l.id = s.list_id AND l.count = 0 AND b.state IN ('active', 'paused', 'cancelling') LIMIT 100`;
/** Cancelled batches with rows not yet swept; one whose last processes are ending has none. */
const CANCELLING = `SELECT b.id FROM batches b WHERE b.state IN ('active', 'paused', 'cancelling') AND +b.state = 'cancelling'
  AND EXISTS (SELECT 1 FROM stages s WHERE s.batch_seq = b.seq AND s.sweep < s.total) LIMIT 100`;

/** Batches whose retry has rows not yet re-opened. */
const RETRYING = `SELECT DISTINCT b.id FROM stages s INDEXED BY stages_retry CROSS JOIN batches b
  WHERE s.retry IS NOT NULL AND b.seq = s.batch_seq AND b.state IN ('active', 'paused') LIMIT 100`;

/** Work that a transition has begun and the brain goes on with, chunk by chunk. */
export async function findPending(db: Database): Promise<Pending> {
  const [lists, empty, cancelling, retrying] = await db.batch(
    [LISTS, EMPTY_LISTS, CANCELLING, RETRYING].map((sql) => bindStatement(sql, {})),
    'read',
  );
  return {
    lists: [
      ...new Set(
        [...readRows<{ id: number }>(lists), ...readRows<{ id: number }>(empty)].map((row) => row.id),
      ),
    ],
    cancelling: readRows<{ id: string }>(cancelling).map((row) => row.id),
    retrying: readRows<{ id: string }>(retrying).map((row) => row.id),
  };
}

const ENDED = `SELECT id FROM stages
  WHERE state = 'open' AND expanded = 1 AND waiting + ready + leased + backoff = 0 AND retry IS NULL LIMIT 1000`;

/** Done stages with a successor that could open, and one stage of every live batch in which nothing is open. */
const STALLED = `SELECT e.from_stage AS id FROM batches b
    CROSS JOIN stages s CROSS JOIN stage_edges e
  WHERE s.batch_seq = b.seq AND s.state = 'waiting' AND e.to_stage = s.id AND e.kind = 'all' AND b.state IN ('active', 'paused', 'cancelling') AND +b.state <> 'cancelling' AND NOT EXISTS (
    SELECT 1 FROM stage_edges x JOIN stages p ON p.id = x.from_stage WHERE x.to_stage = s.id AND x.kind = 'all' AND p.state <> 'done')
UNION
SELECT (SELECT min(s.id) FROM stages s WHERE s.batch_seq = b.seq) FROM batches b
  WHERE b.state IN ('active', 'paused', 'cancelling')
    AND NOT EXISTS (SELECT 1 FROM stages s WHERE s.batch_seq = b.seq AND s.state = 'open')
LIMIT 1000`;

/** Stages that SETTLE should be asked about: none, unless a crash came between a change and its settling. */
export async function findUnsettled(db: Database): Promise<number[]> {
  const results = await db.batch([bindStatement(ENDED, {}), bindStatement(STALLED, {})], 'read');
  return [...new Set(results.flatMap((result) => readRows<{ id: number }>(result)).map((row) => row.id))];
}
