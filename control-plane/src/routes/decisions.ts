import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { listDecisions } from '../store/queries/list-decisions.ts';
import { invalid } from './request/parse-input.ts';
import { decisionsQuery } from './request/queries.ts';
import { readQuery } from './request/read-query.ts';

export function decisionRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/', requireScope(deps, 'read'), async (c) => {
    const { batch, type, cursor, after, limit, order } = readQuery(c.req, decisionsQuery);
    if (after !== null && order === 'newest') {
      throw invalid([{ path: 'order', message: 'What comes after a decision is told oldest first.' }]);
    }
    return c.json(
      await listDecisions(deps.db, {
        batch_id: batch,
        type,
        limit,
        order: order ?? (after === null ? 'newest' : 'oldest'),
        after: cursor ?? after,
      }),
    );
  });

  return app;
}
