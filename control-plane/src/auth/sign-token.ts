import { type Scope, TOKEN_AUDIENCE } from '@planfleet/shared-types';
import { SignJWT } from 'jose';
import type { SigningKey } from './signing-key.ts';

export interface TokenOptions {
  readonly jti: string;
  readonly subject: string;
  readonly scopes: readonly Scope[];
  readonly agent?: string | undefined;
  readonly plans?: readonly string[] | undefined;
  readonly expires_in_s?: number | undefined;
}

/** Makes a token. Needs the key and nothing else: the first admin token is made before there is a server. */
export async function signToken(key: SigningKey, options: TokenOptions, now: number): Promise<string> {
  const issued = Math.floor(now / 1_000);
  const { jti, subject, scopes, agent, plans, expires_in_s } = options;
  const claims = {
    scope: scopes.join(' '),
    ...(agent === undefined ? {} : { agent }),
    ...(plans === undefined ? {} : { plans }),
  };
  const jwt = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: key.kid, typ: 'JWT' })
    .setSubject(subject)
    .setAudience(TOKEN_AUDIENCE)
    .setJti(jti)
    .setIssuedAt(issued);
  if (expires_in_s !== undefined) jwt.setExpirationTime(issued + expires_in_s);
  return jwt.sign(key.secret);
}

/** An id that no other token has. It is no secret. */
export function createTokenId(random: () => number): string {
  const words = Array.from({ length: 4 }, () => Math.floor(random() * 2 ** 32));
  return words.map((word) => word.toString(16).padStart(8, '0')).join('');
}
