import { ApiError, type Scope } from '@planfleet/shared-types';
import type { MiddlewareHandler } from 'hono';
import type { Deps } from '../deps.ts';
import type { Principal } from './principal.ts';

/** What the handlers of a route find in their context. */
export interface AppEnv {
  Variables: {
    principal: Principal;
    /** Whether the token would still do: for answers that go on for minutes. */
    isStillAllowed: () => Promise<boolean>;
  };
}

const scopesByHandler = new WeakMap<object, readonly Scope[]>();

/**
 * Lets a request pass whose token has one of `scopes`. Stands in every route, not before all of them, so that the
 * scope is read beside the path; a test fails for a route without one.
 */
export function requireScope(deps: Deps, ...scopes: readonly Scope[]): MiddlewareHandler<AppEnv> {
  const middleware: MiddlewareHandler<AppEnv> = async (c, next) => {
    const token = readToken(c.req.header('authorization'));
    const principal = await deps.auth.verify(token);
    if (!scopes.some((scope) => principal.scopes.has(scope))) {
      const has = [...principal.scopes].join(', ') || 'none';
      throw new ApiError('wrong_scope', `This needs the scope ${scopes.join(' or ')}; the token has ${has}.`);
    }
    c.set('principal', principal);
    c.set('isStillAllowed', () => deps.auth.verify(token).then(() => true, isNotRefused));
    await next();
  };
  scopesByHandler.set(middleware, scopes);
  return middleware;
}

/** The scopes that a handler of the app demands; undefined: it is no scope check. */
export function scopesOf(handler: object): readonly Scope[] | undefined {
  return scopesByHandler.get(handler);
}

/** A database that is away for a moment is no reason to take the token for a bad one. */
function isNotRefused(error: unknown): boolean {
  return !(error instanceof ApiError);
}

function readToken(header: string | undefined): string {
  if (header === undefined || header === '') {
    throw new ApiError('no_token', 'The request carries no token.', {
      hint: 'Send it as a header: Authorization: Bearer TOKEN',
    });
  }
  const token = /^Bearer +(\S+)$/i.exec(header.trim())?.[1];
  if (token === undefined) {
    throw new ApiError('bad_token', 'The Authorization header is not of the form: Bearer TOKEN');
  }
  return token;
}
