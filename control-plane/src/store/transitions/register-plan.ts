import type { PlanVersionView } from '@planfleet/shared-types';
import type { PlanVersion } from '../../plan-version.ts';
import { bindStatement, type Database, readRows } from '../database.ts';
import { toVersionView } from '../queries/list-plans.ts';

/** The next number is taken in this same statement; content that is there already keeps its own. */
const INSERT = `INSERT INTO plans (name, version, digest, bundle, registered_by, created_at, files, markdown)
SELECT :name, 1 + coalesce((SELECT max(version) FROM plans WHERE name = :name), 0), :digest, :bundle, :registered_by, :now,
  :files, :markdown
WHERE true ON CONFLICT (name, digest) DO NOTHING RETURNING version`;

const READ = `SELECT name, version, digest, registered_by, created_at,
    (SELECT max(version) FROM plans WHERE name = :name) AS newest_version
  FROM plans WHERE name = :name AND digest = :digest`;

export interface PlanRegistration extends PlanVersion {
  readonly name: string;
  readonly registered_by: string;
  readonly now: number;
}

/** REGISTER PLAN: a new version of the plan of this name, unless it has one with the same content. */
export async function registerPlan(
  db: Database,
  registration: PlanRegistration,
): Promise<{ created: boolean; view: PlanVersionView; newest_version: number }> {
  const { name, digest, bundle, registered_by, now } = registration;
  // As JSON: SQLite's drivers end a text at a NUL character.
  const markdown = JSON.stringify(registration.markdown);
  const files = registration.files === null ? null : JSON.stringify(registration.files);
  const params = { name, digest, bundle, registered_by, now, files, markdown };
  const [inserted, read] = await db.batch(
    [INSERT, READ].map((sql) => bindStatement(sql, params)),
    'write',
  );
  const [row] = readRows<Parameters<typeof toVersionView>[0] & { newest_version: number }>(read);
  if (row === undefined) throw new Error('The plan that was registered is not there.');
  return {
    created: inserted?.rows.length === 1,
    view: toVersionView(row),
    newest_version: row.newest_version,
  };
}
