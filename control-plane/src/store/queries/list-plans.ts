import type { Page, PlanVersionView } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows, type Statement } from '../database.ts';
import { toPage } from './page.ts';
import { toIso } from './view-time.ts';

/** From name to name along the index: a plan with 10,000 versions costs its list no more than one with two. */
const NAMES = `names(name) AS (
  SELECT (SELECT name FROM plans WHERE name > :after ORDER BY name LIMIT 1)
  UNION ALL
  SELECT (SELECT p.name FROM plans p WHERE p.name > names.name ORDER BY p.name LIMIT 1) FROM names
    WHERE names.name IS NOT NULL LIMIT :limit)`;

const COLUMNS = 'p.name, p.version, p.digest, p.registered_by, p.created_at';

const LIST = `WITH RECURSIVE ${NAMES}
SELECT ${COLUMNS} FROM names CROSS JOIN plans p
  WHERE p.name = names.name AND p.version = (SELECT max(version) FROM plans v WHERE v.name = names.name)
  ORDER BY p.name`;

const LIST_NAMES = `WITH RECURSIVE ${NAMES} SELECT name FROM names WHERE name IS NOT NULL`;

const LIST_VERSIONS = `SELECT ${COLUMNS} FROM plans p WHERE p.name = :name AND p.version < :before
  ORDER BY p.version DESC LIMIT :limit`;
const EXISTS = 'SELECT 1 FROM plans WHERE name = :name LIMIT 1';

/** The newest version of each plan, by name. */
export async function listPlans(
  db: Database,
  options: { limit: number; cursor: string | null },
): Promise<Page<PlanVersionView>> {
  const params = { after: options.cursor ?? '', limit: options.limit + 1 };
  const [result] = await db.batch([bindStatement(LIST, params)], 'read');
  return toPage(readRows<VersionRow>(result), options.limit, toVersionView, (row) => row.name);
}

/** All versions of a plan, newest first; null: there is no such plan. */
export async function listPlanVersions(
  db: Database,
  options: { name: string; limit: number; before: number | null },
): Promise<Page<PlanVersionView> | null> {
  const { name, limit } = options;
  const params = { name, limit: limit + 1, before: options.before ?? Number.MAX_SAFE_INTEGER };
  const statements: Statement[] = [EXISTS, LIST_VERSIONS].map((sql) => bindStatement(sql, params));
  const [found, result] = await db.batch(statements, 'read');
  if (found?.rows.length === 0) return null;
  return toPage(readRows<VersionRow>(result), limit, toVersionView, (row) => String(row.version));
}

/** Enough to find what was meant by a wrong name; whoever has more plans finds it in the list. */
const MOST_NAMES = 1_000;

/** Names of plans, for saying which one was probably meant. */
export async function listPlanNames(db: Database): Promise<string[]> {
  const [result] = await db.batch([bindStatement(LIST_NAMES, { after: '', limit: MOST_NAMES })], 'read');
  return readRows<{ name: string }>(result).map((row) => row.name);
}

interface VersionRow {
  name: string;
  version: number;
  digest: string;
  registered_by: string;
  created_at: number;
}

/** A row of `plans` as people see it in a list. */
export function toVersionView({
  name,
  version,
  digest,
  registered_by,
  created_at,
}: VersionRow): PlanVersionView {
  return { name, version, digest, registered_by, created_at: toIso(created_at) };
}
