import { drizzle } from 'drizzle-orm/sqlite-proxy';
import type { Database, SqlValue } from './database.ts';

/** Drizzle over the database port, for reads only: what writes is a transition. */
export function openReader(db: Database) {
  return drizzle(async (sql, params, method) => {
    const [result] = await db.batch([{ sql, params: params as SqlValue[] }], 'read');
    const rows = (result?.rows ?? []).map((row) => [...row]);
    return { rows: method === 'get' ? (rows[0] as unknown as unknown[]) : rows };
  });
}
