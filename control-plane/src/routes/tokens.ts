import { createTokenSchema, jtiSchema } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { createTokenId, signToken } from '../auth/sign-token.ts';
import type { Deps } from '../deps.ts';
import { listTokens } from '../store/queries/list-tokens.ts';
import { insertToken, revokeToken } from '../store/transitions/tokens.ts';
import { invalid, parseInput } from './request/parse-input.ts';
import { tokensQuery } from './request/queries.ts';
import { readJson } from './request/read-json.ts';
import { readQuery } from './request/read-query.ts';

export function tokenRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, auth, settings } = deps;

  app.post('/', requireScope(deps, 'admin'), async (c) => {
    const request = await readJson(c.req, createTokenSchema, settings.max_json_bytes);
    if (request.agent !== undefined && !request.scopes.includes('agent')) {
      throw invalid([{ path: 'agent', message: 'Only a token with the scope agent is bound to an agent.' }]);
    }
    if (request.plans !== undefined && !request.scopes.includes('submit')) {
      throw invalid([
        { path: 'plans', message: 'Only a token with the scope submit is restricted to plans.' },
      ]);
    }
    const now = clock.now();
    const jti = createTokenId(deps.random);
    const token = await signToken(auth.signingKey, { ...request, jti }, now);
    const view = await insertToken(db, {
      jti,
      subject: request.subject,
      scopes: request.scopes,
      agent: request.agent ?? null,
      plans: request.plans ?? null,
      expires_at: request.expires_in_s === undefined ? null : now + request.expires_in_s * 1_000,
      now,
    });
    c.header('cache-control', 'no-store');
    return c.json({ ...view, token }, 201);
  });

  app.get('/', requireScope(deps, 'admin'), async (c) =>
    c.json(await listTokens(db, readQuery(c.req, tokensQuery))),
  );

  app.delete('/:jti', requireScope(deps, 'admin'), async (c) => {
    const jti = parseInput(jtiSchema, c.req.param('jti'));
    const view = await revokeToken(db, { jti, now: clock.now() });
    auth.forgetRevocations();
    return c.json(view);
  });

  return app;
}
