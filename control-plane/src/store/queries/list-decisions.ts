import { type DecisionView, formatTaskId, type Page } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { toPage } from './page.ts';
import { toIso } from './view-time.ts';

export interface DecisionQuery {
  readonly batch_id: string | null;
  readonly type: string | null;
  readonly order: 'newest' | 'oldest';
  /** Only those beyond this id, in the direction of `order`; null: from the end, or the beginning. */
  readonly after: number | null;
  readonly limit: number;
}

const COLUMNS = `d.id, d.at, d.type, d.ordinal, d.attempt, d.agent, d.count, d.message, d.details, b.id AS batch_id, s.key
  FROM decisions d LEFT JOIN batches b ON b.seq = d.batch_seq LEFT JOIN stages s ON s.id = d.stage_id`;
const OF_BATCH = 'd.batch_seq = (SELECT seq FROM batches WHERE id = :batch_id)';
/** Those of a deleted batch wait only for their removal. */
const KEPT = 'b.deleted_at IS NULL';
const NEWEST = 'AND d.id < :after ORDER BY d.id DESC LIMIT :limit';
const OLDEST = 'AND d.id > :after ORDER BY d.id LIMIT :limit';

/** The type alone has an index; within a batch the few rows of it are read. */
const TEXTS = {
  all: {
    newest: `SELECT ${COLUMNS} WHERE ${KEPT} ${NEWEST}`,
    oldest: `SELECT ${COLUMNS} WHERE ${KEPT} ${OLDEST}`,
  },
  type: {
    newest: `SELECT ${COLUMNS} WHERE d.type = :type AND ${KEPT} ${NEWEST}`,
    oldest: `SELECT ${COLUMNS} WHERE d.type = :type AND ${KEPT} ${OLDEST}`,
  },
  batch: {
    newest: `SELECT ${COLUMNS} WHERE ${OF_BATCH} AND (:type IS NULL OR +d.type = :type) ${NEWEST}`,
    oldest: `SELECT ${COLUMNS} WHERE ${OF_BATCH} AND (:type IS NULL OR +d.type = :type) ${OLDEST}`,
  },
};

/** The decision log, page by page; an unknown batch has no decisions. */
export async function listDecisions(db: Database, query: DecisionQuery): Promise<Page<DecisionView>> {
  const { batch_id, type, order, limit } = query;
  const by = batch_id !== null ? 'batch' : type !== null ? 'type' : 'all';
  const after = query.after ?? (order === 'newest' ? Number.MAX_SAFE_INTEGER : 0);
  const params = { batch_id, type, after, limit: limit + 1 };
  const [result] = await db.batch([bindStatement(TEXTS[by][order], params)], 'read');
  return toPage(readRows<DecisionRow>(result), limit, toDecisionView, (row) => String(row.id));
}

interface DecisionRow {
  id: number;
  at: number;
  type: string;
  ordinal: number | null;
  attempt: number | null;
  agent: string | null;
  count: number;
  message: string;
  details: string | null;
  batch_id: string | null;
  key: string | null;
}

function toDecisionView(row: DecisionRow): DecisionView {
  const { id, at, type, attempt, agent, count, message, batch_id, key, ordinal } = row;
  return {
    id,
    at: toIso(at),
    type,
    batch_id,
    stage: key,
    task:
      batch_id === null || key === null || ordinal === null
        ? null
        : formatTaskId({ batch_id, stage_key: key, ordinal }),
    attempt,
    agent,
    count,
    message,
    details: row.details === null ? null : (JSON.parse(row.details) as Record<string, unknown>),
  };
}
