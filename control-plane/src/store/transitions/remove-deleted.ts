import { bindStatement, type Database } from '../database.ts';

interface Part {
  readonly table: string;
  readonly key: string;
  /** The rows of the batch `:seq`: what follows FROM. `r` is the table. */
  readonly rows: string;
  /** Rows removed at a time: fewer where each is long. All parts of one chunk together take some 10 ms. */
  readonly chunk: number;
}

const ofBatch = (table: string, key: string, chunk: number): Part => ({
  table,
  key,
  rows: `${table} r WHERE r.batch_seq = :seq`,
  chunk,
});
const ofStages = (table: string, key: string, chunk: number, column = 'stage_id'): Part => ({
  table,
  key,
  rows: `stages s CROSS JOIN ${table} r WHERE s.batch_seq = :seq AND r.${column} = s.id`,
  chunk,
});
const ofLists = (table: string, key: string, chunk: number): Part => ({
  table,
  key,
  rows: `lists l CROSS JOIN ${table} r WHERE l.batch_seq = :seq AND r.list_id = l.id`,
  chunk,
});

/** What a batch leaves in the database besides its stages and lists. A new table of a batch is one more line. */
const PARTS: readonly Part[] = [
  ofLists('list_chunks', 'list_id, lease, first', 20),
  ofLists('list_items', 'list_id, ordinal', 1_000),
  ofLists('list_repeats', 'list_id, ordinal', 1_000),
  ofStages('attempts', 'stage_id, ordinal, attempt', 200),
  ofStages('child_ends', 'stage_id, ordinal, attempt', 1_000),
  ofStages('tasks', 'stage_id, ordinal', 1_000),
  ofStages('stage_edges', 'from_stage, to_stage, kind', 1_000, 'from_stage'),
  ofBatch('files', 'batch_seq, path', 500),
  ofBatch('attempt_logs', 'batch_seq, path', 500),
  ofStages('log_chunks', 'stage_id, ordinal, attempt, first', 20),
  ofStages('live_logs', 'stage_id, ordinal, attempt', 500),
  ofBatch('decisions', 'id', 500),
];

/** The tables that lose rows with a batch; a test compares them with the schema. */
export const REMOVED_TABLES: readonly string[] = [
  ...PARTS.map((part) => part.table),
  ...['stages', 'lists', 'batches'],
];

const qualified = (key: string) =>
  key
    .split(', ')
    .map((column) => `r.${column}`)
    .join(', ');

const removePart = ({ table, key, rows, chunk }: Part) =>
  `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${qualified(key)} FROM ${rows} LIMIT ${chunk}) RETURNING 1`;

/** Stages and lists are how the other rows are found: they go last, in the order in which they name each other. */
const ALL_GONE = PARTS.map(({ rows }) => `NOT EXISTS (SELECT 1 FROM ${rows})`).join(' AND ');
const STAGES_CHUNK = 500;
const REMOVE_STAGES = `DELETE FROM stages WHERE id IN (SELECT id FROM stages WHERE batch_seq = :seq LIMIT ${STAGES_CHUNK})
  AND ${ALL_GONE} RETURNING 1`;
const NO_STAGES = 'NOT EXISTS (SELECT 1 FROM stages WHERE batch_seq = :seq)';
const REMOVE_LISTS = `DELETE FROM lists WHERE id IN (SELECT id FROM lists WHERE batch_seq = :seq LIMIT ${STAGES_CHUNK})
  AND ${NO_STAGES} RETURNING 1`;
const REMOVE_BATCH = `DELETE FROM batches WHERE seq = :seq AND deleted_at IS NOT NULL AND ${NO_STAGES}
  AND NOT EXISTS (SELECT 1 FROM lists WHERE batch_seq = :seq) RETURNING 1`;

/**
 * REMOVE: the next chunk of a deleted batch's rows; each statement goes by what is there now, so that it does not
 * matter who began and how far it came. `more`: the batch's own row, the last one, is not gone yet.
 */
export async function removeDeleted(
  db: Database,
  params: { seq: number },
): Promise<{ removed: number; more: boolean }> {
  const statements = [...PARTS.map(removePart), REMOVE_STAGES, REMOVE_LISTS, REMOVE_BATCH];
  const results = await db.batch(
    statements.map((sql) => bindStatement(sql, params)),
    'write',
  );
  const removed = results.reduce((sum, result) => sum + result.rows.length, 0);
  return { removed, more: removed > 0 && results.at(-1)?.rows.length === 0 };
}
