import { and, gt, isNotNull, isNull, or } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { openReader } from '../reader.ts';
import { tokens } from '../schema.ts';

/** Ids of the revoked tokens that would still be valid. */
export async function readRevocations(db: Database, now: number): Promise<ReadonlySet<string>> {
  const rows = await openReader(db)
    .select({ jti: tokens.jti })
    .from(tokens)
    .where(and(isNotNull(tokens.revoked_at), or(isNull(tokens.expires_at), gt(tokens.expires_at, now))));
  return new Set(rows.map((row) => row.jti));
}
