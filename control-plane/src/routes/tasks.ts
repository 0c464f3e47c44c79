import { ApiError, parseTaskId, type TaskAddress } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { listAttempts, readTask } from '../store/queries/read-task.ts';
import { attemptsQuery } from './request/queries.ts';
import { readQuery } from './request/read-query.ts';

export function taskRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id', requireScope(deps, 'read'), async (c) => {
    const id = c.req.param('id');
    return c.json((await readTask(deps.db, readTaskId(id))) ?? noTask(id));
  });

  app.get('/:id/attempts', requireScope(deps, 'read'), async (c) => {
    const id = c.req.param('id');
    const address = readTaskId(id);
    const { limit, cursor } = readQuery(c.req, attemptsQuery);
    return c.json((await listAttempts(deps.db, { address, limit, after: cursor })) ?? noTask(id));
  });

  return app;
}

function readTaskId(id: string): TaskAddress {
  const address = parseTaskId(id);
  if (address !== null) return address;
  throw new ApiError('not_found', 'This is not the id of a task.', {
    hint: 'A task id looks like 20261122_142233:transcribe:0',
  });
}

function noTask(id: string): never {
  throw new ApiError('not_found', `There is no task ${id}.`);
}
