import type { BatchState, BatchView, Page } from '@planfleet/shared-types';
import { bindStatement, type Database, type ResultSet, readRows, type Statement } from '../database.ts';
import { type CountsRow, countsView } from './counts-view.ts';
import { toPage } from './page.ts';
import { toIso, toIsoOrNull } from './view-time.ts';

/** A ready task of a stage that is not open waits for the stage; the rows say so, people are told what it means. */
const COUNTS = `coalesce(sum(s.total), 0) AS total,
  coalesce(sum(s.waiting + iif(s.state = 'open', 0, s.ready)), 0) AS waiting,
  coalesce(sum(iif(s.state = 'open', s.ready, 0)), 0) AS ready,
  coalesce(sum(s.leased), 0) AS leased, coalesce(sum(s.backoff), 0) AS backoff,
  coalesce(sum(s.succeeded), 0) AS succeeded, coalesce(sum(s.abandoned), 0) AS abandoned,
  coalesce(sum(s.skipped), 0) AS skipped, coalesce(sum(s.cancelled), 0) AS cancelled`;

const PARENT = `(SELECT p.id || ':' || ps.key || ':' || b.parent_ordinal FROM stages ps JOIN batches p ON p.seq = ps.batch_seq
  WHERE ps.id = b.parent_stage AND p.deleted_at IS NULL) AS parent`;

const LIST = `SELECT b.seq, b.id, b.plan_name, b.state, b.priority, b.submitted_by, b.created_at, b.finished_at, ${PARENT}, ${COUNTS}
  FROM (SELECT * FROM batches WHERE seq < :before AND deleted_at IS NULL ORDER BY seq DESC LIMIT :limit) b
    LEFT JOIN stages s ON s.batch_seq = b.seq
  GROUP BY b.seq ORDER BY b.seq DESC`;

const READ = `SELECT b.seq, b.id, b.plan_name, b.state, b.priority, b.submitted_by, b.created_at, b.finished_at, ${PARENT}, ${COUNTS}
  FROM batches b LEFT JOIN stages s ON s.batch_seq = b.seq
  WHERE b.id = :id GROUP BY b.seq`;

/** Batches, newest first. */
export async function listBatches(
  db: Database,
  options: { limit: number; before: number | null },
): Promise<Page<BatchView>> {
  const params = { limit: options.limit + 1, before: options.before ?? Number.MAX_SAFE_INTEGER };
  const [result] = await db.batch([bindStatement(LIST, params)], 'read');
  return toPage(readRows<BatchRow>(result), options.limit, toBatchView, (row) => String(row.seq));
}

export async function readBatch(db: Database, id: string): Promise<BatchView | null> {
  const [result] = await db.batch([selectBatch(id)], 'read');
  return readBatchRow(result);
}

/** For reads that want the batch with something else, as both are at one time. */
export function selectBatch(id: string): Statement {
  return bindStatement(READ, { id });
}

export function readBatchRow(result: ResultSet | undefined): BatchView | null {
  const [row] = readRows<BatchRow>(result);
  return row === undefined ? null : toBatchView(row);
}

interface BatchRow extends CountsRow {
  seq: number;
  id: string;
  plan_name: string;
  state: BatchState;
  priority: number;
  submitted_by: string;
  created_at: number;
  finished_at: number | null;
  parent: string | null;
}

function toBatchView(row: BatchRow): BatchView {
  return {
    id: row.id,
    plan_name: row.plan_name,
    state: row.state,
    priority: row.priority,
    submitted_by: row.submitted_by,
    created_at: toIso(row.created_at),
    finished_at: toIsoOrNull(row.finished_at),
    parent: row.parent,
    ...countsView(row),
  };
}
