import { batchIdSchema, DECISION_TYPES } from '@planfleet/shared-types';
import { Hono } from 'hono';
import * as z from 'zod';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { listDecisions } from '../store/queries/list-decisions.ts';
import { invalid } from './request/parse-input.ts';
import { pageQuery, readQuery } from './request/read-query.ts';

const id = z
  .string()
  .regex(/^\d{1,15}$/, 'it is the id of a decision')
  .transform(Number)
  .nullable()
  .default(null);

/** `after` is for followers: what came after a decision they know, oldest first. */
const decisionsQuery = z.strictObject({
  limit: pageQuery.limit,
  batch: batchIdSchema.nullable().default(null),
  type: z.enum(DECISION_TYPES).nullable().default(null),
  order: z.enum(['newest', 'oldest']).optional(),
  cursor: id,
  after: id,
});

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
