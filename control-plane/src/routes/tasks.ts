import { ApiError, parseTaskId, type TaskDetail } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { readTask } from '../store/queries/read-task.ts';

export function taskRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id', requireScope(deps, 'read'), async (c) => c.json(await findTask(deps, c.req.param('id'))));

  app.get('/:id/attempts', requireScope(deps, 'read'), async (c) => {
    const { history } = await findTask(deps, c.req.param('id'));
    return c.json({ items: history, next_cursor: null });
  });

  return app;
}

async function findTask(deps: Deps, id: string): Promise<TaskDetail> {
  const address = parseTaskId(id);
  if (address === null) {
    throw new ApiError('not_found', 'This is not the id of a task.', {
      hint: 'A task id looks like 20261122_142233:transcribe:0',
    });
  }
  const task = await readTask(deps.db, address);
  if (task === null) throw new ApiError('not_found', `There is no task ${id}.`);
  return task;
}
