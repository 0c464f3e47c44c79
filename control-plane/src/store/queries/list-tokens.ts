import type { Page, Scope, TokenView } from '@planfleet/shared-types';
import { desc, lt } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { openReader } from '../reader.ts';
import { tokens } from '../schema.ts';
import { toPage } from './page.ts';
import { toIso, toIsoOrNull } from './view-time.ts';

/** Tokens by id, highest first; never a token itself, which is stored nowhere. */
export async function listTokens(
  db: Database,
  options: { limit: number; cursor: string | null },
): Promise<Page<TokenView>> {
  const rows = await openReader(db)
    .select()
    .from(tokens)
    .where(options.cursor === null ? undefined : lt(tokens.jti, options.cursor))
    .orderBy(desc(tokens.jti))
    .limit(options.limit + 1);
  return toPage(rows, options.limit, toTokenView, (row) => row.jti);
}

export function toTokenView(row: typeof tokens.$inferSelect): TokenView {
  return {
    jti: row.jti,
    subject: row.subject,
    scopes: row.scopes.split(' ').filter((scope) => scope !== '') as Scope[],
    agent: row.agent,
    plans: row.plans === null ? null : (JSON.parse(row.plans) as string[]),
    created_at: toIso(row.created_at),
    expires_at: toIsoOrNull(row.expires_at),
    revoked_at: toIsoOrNull(row.revoked_at),
  };
}
