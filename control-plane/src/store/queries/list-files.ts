import { type FileView, formatTaskId, type Page } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { toPage } from './page.ts';

const page = (
  table: string,
  columns: string,
) => `SELECT f.path, ${columns}, f.sha256, f.ordinal, f.attempt, s.key
  FROM batches b JOIN ${table} f ON f.batch_seq = b.seq JOIN stages s ON s.id = f.stage_id
  WHERE b.id = :batch_id AND f.path >= max(:after, :prefix) AND f.path <> :after
    AND f.path < :prefix || char(1114111) ORDER BY f.path LIMIT :limit`;
const LIST_FILES = page('files', 'f.size');
/** Logs that are still on the machine of their agent are none of the batch yet. */
const LIST_LOGS = page('attempt_logs', 'f.stored AS size').replace('WHERE', "WHERE f.kept <> 'machine' AND");
const EXISTS = 'SELECT 1 FROM batches WHERE id = :batch_id';
const FIND = `SELECT f.sha256 FROM batches b JOIN files f ON f.batch_seq = b.seq
  WHERE b.id = :batch_id AND f.path = :path`;

/** Files that the tasks of a batch sent back, by path, all or those whose path begins with `prefix`; null: there is no such batch. */
export async function listFiles(
  db: Database,
  options: { batch_id: string; limit: number; cursor: string | null; prefix?: string },
): Promise<Page<FileView> | null> {
  const { batch_id, limit, prefix = '' } = options;
  const bound = { batch_id, after: options.cursor ?? '', prefix, limit: limit + 1 };
  const [found, files, logs] = await db.batch(
    [EXISTS, LIST_FILES, LIST_LOGS].map((sql) => bindStatement(sql, bound)),
    'read',
  );
  if (found?.rows.length === 0) return null;
  const toView = ({ key, ordinal, ...file }: FileRow): FileView => ({
    path: file.path,
    size: file.size,
    sha256: file.sha256,
    task: formatTaskId({ batch_id, stage_key: key, ordinal }),
    attempt: file.attempt,
  });
  const rows = [...readRows<FileRow>(files), ...readRows<FileRow>(logs)].sort(byPath).slice(0, limit + 1);
  return toPage(rows, limit, toView, (row) => row.path);
}

/** The sha256 of a file of a batch. */
export async function findFile(db: Database, batchId: string, path: string): Promise<string | null> {
  const [result] = await db.batch([bindStatement(FIND, { batch_id: batchId, path })], 'read');
  return readRows<{ sha256: string }>(result)[0]?.sha256 ?? null;
}

/** As SQLite compares texts: by their bytes in UTF-8, which is the order of code points. */
function byPath(a: FileRow, b: FileRow): number {
  const [left, right] = [[...a.path], [...b.path]];
  for (let at = 0; at < left.length && at < right.length; at++) {
    const order = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

interface FileRow {
  path: string;
  size: number;
  sha256: string;
  ordinal: number;
  attempt: number;
  key: string;
}
