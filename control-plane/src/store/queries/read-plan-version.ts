import type { PlanVersion } from '../../plan-version.ts';
import { bindStatement, type Database, readRows } from '../database.ts';

/** The newest one where no version is asked for. */
const READ = `SELECT name, version, digest, bundle, registered_by, created_at, files, markdown FROM plans
  WHERE name = :name AND version = coalesce(:version, (SELECT max(version) FROM plans WHERE name = :name))`;

/** A registered plan, with everything that a submission of it needs. */
export interface RegisteredVersion extends PlanVersion {
  readonly name: string;
  readonly version: number;
  readonly registered_by: string;
  /** Milliseconds since 1970. */
  readonly created_at: number;
}

/** A version of a plan, or its newest one (`version` null); null: there is none. */
export async function readPlanVersion(
  db: Database,
  options: { name: string; version: number | null },
): Promise<RegisteredVersion | null> {
  const [result] = await db.batch([bindStatement(READ, options)], 'read');
  const [row] = readRows<VersionRow>(result);
  if (row === undefined) return null;
  const markdown = JSON.parse(row.markdown) as string;
  return { ...row, markdown, files: row.files === null ? null : (JSON.parse(row.files) as string[]) };
}

interface VersionRow extends Omit<RegisteredVersion, 'files'> {
  files: string | null;
}
