import type { Database } from '../database.ts';
import { promote } from '../statements/promote.ts';

/** Up to 64 retries whose time has come become ready; returns how many. */
export async function promoteRetries(db: Database, params: { now: number }): Promise<number> {
  const statements = promote(params.now);
  const results = await db.batch([...statements], 'write');
  return results[statements.length - 1]?.rows.length ?? 0;
}
