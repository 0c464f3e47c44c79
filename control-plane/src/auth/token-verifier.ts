import { ApiError, SCOPES, type Scope, TOKEN_AUDIENCE, tokenClaimsSchema } from '@planfleet/shared-types';
import { errors, jwtVerify } from 'jose';
import type { Database } from '../store/database.ts';
import { readRevocations } from '../store/queries/read-revocations.ts';
import type { Principal } from './principal.ts';
import type { SigningKey } from './signing-key.ts';

export interface TokenVerifier {
  /** Whose token it is; throws `bad_token`. */
  verify(token: string): Promise<Principal>;
  /** Looks at the revocations again before the next answer: a token was revoked here. */
  forgetRevocations(): void;
  /** The key that signs new tokens. */
  readonly signingKey: SigningKey;
}

export interface TokenVerifierOptions {
  readonly db: Database;
  readonly clock: { now(): number };
  readonly sha256: (data: Uint8Array) => Promise<string>;
  readonly keys: readonly [SigningKey, ...SigningKey[]];
}

/** What is promised of a revocation: it holds on every instance this much later. */
const REVOCATIONS_MS = 30_000;
/** Tokens remembered. A fleet has hundreds; whoever sends made-up ones fills nothing, since those are not kept. */
const REMEMBERED = 5_000;
/** A token of ours is well under 2 KB; longer ones are not worth the hashing. */
const MAX_TOKEN_LENGTH = 8_192;

interface Remembered {
  readonly principal: Principal;
  readonly expires_at: number;
}

/**
 * Verifies tokens, and remembers by their hash those that it has verified: one verification costs 0.2 ms, and an
 * agent asks many times a second. Reads of the revocations are not shared between requests: on Workers a request
 * must not wait for another request's I/O.
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { db, clock, sha256, keys } = options;
  const secrets = new Map(keys.map((key) => [key.kid, key.secret]));
  const remembered = new Map<string, Remembered>();
  let revoked: ReadonlySet<string> = new Set();
  let revocationsReadAt: number | null = null;
  let changes = 0;

  async function refreshRevocations(now: number): Promise<void> {
    if (revocationsReadAt !== null && now - revocationsReadAt < REVOCATIONS_MS) return;
    const before = changes;
    const read = await readRevocations(db, now);
    // A token was revoked while this read was under way: it may have missed it, the next request reads again.
    if (before !== changes) return;
    revoked = read;
    revocationsReadAt = now;
  }

  return {
    signingKey: keys[0],
    forgetRevocations() {
      changes += 1;
      revocationsReadAt = null;
    },
    async verify(token) {
      if (token.length > MAX_TOKEN_LENGTH) throw badToken('It is too long to be one of ours.');
      const now = clock.now();
      const key = await sha256(new TextEncoder().encode(token));
      let known = remembered.get(key);
      if (known === undefined) {
        known = await verifyAnew(secrets, token, now);
        if (remembered.size >= REMEMBERED) remembered.clear();
        remembered.set(key, known);
      }
      if (known.expires_at <= now) {
        remembered.delete(key);
        throw badToken('It has expired.');
      }
      await refreshRevocations(now);
      if (revoked.has(known.principal.jti)) throw badToken('It was revoked.');
      return known.principal;
    },
  };
}

/** By the id of their key. */
type Secrets = ReadonlyMap<string, Uint8Array>;

async function verifyAnew(secrets: Secrets, token: string, now: number): Promise<Remembered> {
  try {
    const { payload } = await jwtVerify(token, (header) => findSecret(secrets, header.kid), {
      algorithms: ['HS256'],
      audience: TOKEN_AUDIENCE,
      currentDate: new Date(now),
    });
    const claims = tokenClaimsSchema.safeParse(payload);
    if (!claims.success) throw badToken('It lacks claims that planfleet needs.');
    const { sub, jti, scope, agent, plans, exp } = claims.data;
    return {
      principal: {
        subject: sub,
        jti,
        scopes: new Set(scope.split(' ').filter(isScope)),
        agent: agent ?? null,
        plans: plans ?? null,
      },
      expires_at: exp === undefined ? Number.POSITIVE_INFINITY : exp * 1_000,
    };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (error instanceof errors.JWTExpired) throw badToken('It has expired.');
    // Whatever else a made-up token provokes is the token's fault. The token itself is never repeated.
    throw badToken('It was not made by this control plane, or was changed since.');
  }
}

function findSecret(secrets: Secrets, kid: string | undefined): Uint8Array {
  const secret = kid === undefined ? undefined : secrets.get(kid);
  if (secret === undefined) throw badToken('It was signed with a key that is not in use here.');
  return secret;
}

function isScope(word: string): word is Scope {
  return (SCOPES as readonly string[]).includes(word);
}

function badToken(message: string): ApiError {
  return new ApiError('bad_token', `The token is not accepted. ${message}`, {
    hint: 'Whoever has the signing key makes a new one: planfleet tokens create',
  });
}
