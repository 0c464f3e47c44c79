import { bindStatement, type Database, toJson } from '../database.ts';

const INSERT = `INSERT INTO child_plans (plan_digest, folder, markdown)
SELECT :plan_digest, value->>0, value->>1 FROM json_each(:plans) WHERE true ON CONFLICT DO NOTHING`;

/** Keeps every plan.md below a plan, for its tasks of type execute_plan. By content, so that again changes nothing. */
export async function storeChildPlans(
  db: Database,
  params: { plan_digest: string; folders: ReadonlyMap<string, string> },
): Promise<void> {
  const { plan_digest, folders } = params;
  // As JSON: SQLite's drivers end a text at a NUL character.
  const plans = toJson([...folders].map(([folder, markdown]) => [folder, JSON.stringify(markdown)]));
  await db.batch([bindStatement(INSERT, { plan_digest, plans })], 'write');
}
