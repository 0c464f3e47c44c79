import type { Scope, TokenView } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows, toJson } from '../database.ts';
import { toTokenView } from '../queries/list-tokens.ts';
import type { tokens } from '../schema.ts';

const INSERT = `INSERT INTO tokens (jti, subject, scopes, agent, plans, created_at, expires_at)
  VALUES (:jti, :subject, :scopes, :agent, :plans, :now, :expires_at) RETURNING *`;

/** A token that was made outside (with the signing key alone) has no row: revoking it writes one. */
const REVOKE = `INSERT INTO tokens (jti, subject, scopes, created_at, revoked_at)
  VALUES (:jti, '(made offline)', '', :now, :now)
  ON CONFLICT (jti) DO UPDATE SET revoked_at = coalesce(revoked_at, excluded.revoked_at) RETURNING *`;

export interface InsertToken {
  readonly jti: string;
  readonly subject: string;
  readonly scopes: readonly Scope[];
  readonly agent: string | null;
  readonly plans: readonly string[] | null;
  readonly expires_at: number | null;
  readonly now: number;
}

/** Notes that a token was made, so that it can be listed and revoked. The token itself is not stored. */
export async function insertToken(db: Database, token: InsertToken): Promise<TokenView> {
  const { jti, subject, agent, expires_at, now } = token;
  const plans = token.plans === null ? null : toJson(token.plans);
  const params = { jti, subject, scopes: token.scopes.join(' '), agent, plans, expires_at, now };
  return readToken(await db.batch([bindStatement(INSERT, params)], 'write'));
}

/** Revoked is revoked: a second time changes nothing. */
export async function revokeToken(db: Database, options: { jti: string; now: number }): Promise<TokenView> {
  return readToken(await db.batch([bindStatement(REVOKE, options)], 'write'));
}

function readToken([result]: Awaited<ReturnType<Database['batch']>>): TokenView {
  const [row] = readRows<typeof tokens.$inferSelect>(result);
  if (row === undefined) throw new Error('RETURNING gave no token.');
  return toTokenView(row);
}
