import { formatTaskId, type Page, type TimelineEntry } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { toPage } from './page.ts';
import { toIso, toIsoOrNull } from './view-time.ts';

const EXISTS = 'SELECT 1 FROM batches WHERE id = :batch_id';

const STAGES = 'FROM stages WHERE batch_seq = (SELECT seq FROM batches WHERE id = :batch_id)';

/**
 * The stages of a batch have numbers that follow each other, so that its attempts are one range of their table, read
 * from where the page before ended and in the order in which it is kept: nothing is sorted, nothing read twice.
 */
const LIST = `SELECT h.stage_id, h.ordinal, h.attempt, h.outcome, h.claimed_at, h.started_at, h.ended_at, s.key, a.name AS agent
  FROM attempts h CROSS JOIN stages s ON s.id = h.stage_id CROSS JOIN agents a ON a.id = h.agent_id
  WHERE (h.stage_id, h.ordinal, h.attempt) > (max(:stage, (SELECT min(id) ${STAGES})), :ordinal, :attempt)
    AND h.stage_id <= (SELECT max(id) ${STAGES})
  ORDER BY h.stage_id, h.ordinal, h.attempt LIMIT :limit`;

/** Where a page ended. */
export interface AfterAttempt {
  readonly stage: number;
  readonly ordinal: number;
  readonly attempt: number;
}

/** The attempts of a batch that have ended, stage by stage and task by task; null: there is no such batch. */
export async function listTimeline(
  db: Database,
  options: { batch_id: string; limit: number; after: AfterAttempt | null },
): Promise<Page<TimelineEntry> | null> {
  const { batch_id, limit } = options;
  const { stage, ordinal, attempt } = options.after ?? { stage: 0, ordinal: -1, attempt: 0 };
  const [found, result] = await db.batch(
    [
      bindStatement(EXISTS, { batch_id }),
      bindStatement(LIST, { batch_id, stage, ordinal, attempt, limit: limit + 1 }),
    ],
    'read',
  );
  if (found?.rows.length === 0) return null;
  const toEntry = (row: TimelineRow): TimelineEntry => ({
    task: formatTaskId({ batch_id, stage_key: row.key, ordinal: row.ordinal }),
    stage: row.key,
    attempt: row.attempt,
    agent: row.agent,
    outcome: row.outcome,
    claimed_at: toIso(row.claimed_at),
    started_at: toIsoOrNull(row.started_at),
    ended_at: toIso(row.ended_at),
  });
  const toCursor = (row: TimelineRow) => `${row.stage_id}.${row.ordinal}.${row.attempt}`;
  return toPage(readRows<TimelineRow>(result), limit, toEntry, toCursor);
}

interface TimelineRow {
  stage_id: number;
  ordinal: number;
  attempt: number;
  outcome: string;
  claimed_at: number;
  started_at: number | null;
  ended_at: number;
  key: string;
  agent: string;
}
