import { bindStatement, type Database, readRows } from '../database.ts';

const READ = 'SELECT markdown FROM child_plans WHERE plan_digest = :plan_digest AND folder = :folder';
const LIST = 'SELECT folder, markdown FROM child_plans WHERE plan_digest = :plan_digest';

/** The plan.md of a folder of a bundle; null: there is none that a task could execute. */
export async function readChildPlan(
  db: Database,
  params: { plan_digest: string; folder: string },
): Promise<string | null> {
  const [result] = await db.batch([bindStatement(READ, params)], 'read');
  const [row] = readRows<{ markdown: string }>(result);
  return row === undefined ? null : (JSON.parse(row.markdown) as string);
}

/** All of a bundle, by folder. */
export async function listChildPlans(db: Database, plan_digest: string): Promise<Map<string, string>> {
  const [result] = await db.batch([bindStatement(LIST, { plan_digest })], 'read');
  return new Map(
    readRows<{ folder: string; markdown: string }>(result).map((row) => [
      row.folder,
      JSON.parse(row.markdown) as string,
    ]),
  );
}
