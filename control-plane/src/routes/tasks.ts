import type { TaskDetail } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { explainTask } from '../brain/explain/explain-task.ts';
import type { Deps } from '../deps.ts';
import { readBatchFacts, readTaskFacts } from '../store/queries/read-facts.ts';
import { readTask } from '../store/queries/read-task.ts';
import { noTask, readTaskId } from './request/read-task-id.ts';

export function taskRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id', requireScope(deps, 'read'), async (c) => c.json(await findTask(deps, c.req.param('id'))));

  app.get('/:id/attempts', requireScope(deps, 'read'), async (c) => {
    const { history } = await findTask(deps, c.req.param('id'));
    return c.json({ items: history, next_cursor: null });
  });

  app.get('/:id/explain', requireScope(deps, 'read'), async (c) => {
    const id = c.req.param('id');
    const address = readTaskId(id);
    const facts = await readBatchFacts(deps.db, { batch_id: address.batch_id, now: deps.clock.now() });
    const stage = facts?.stages.find(({ key }) => key === address.stage_key);
    if (facts === null || stage === undefined) return noTask(id);
    const task = await readTaskFacts(deps.db, address);
    // One that its list may still bring is no wrong name.
    if (task === null && stage.expanded) return noTask(id);
    return c.json(explainTask(address, facts, stage, task));
  });

  return app;
}

async function findTask(deps: Deps, id: string): Promise<TaskDetail> {
  const task = await readTask(deps.db, readTaskId(id));
  return task ?? noTask(id);
}
