import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { explainTask } from '../brain/explain/explain-task.ts';
import type { Deps } from '../deps.ts';
import { readBatchFacts, readTaskFacts } from '../store/queries/read-facts.ts';
import { listAttempts, readTask } from '../store/queries/read-task.ts';
import { attemptsQuery } from './request/queries.ts';
import { readQuery } from './request/read-query.ts';
import { noTask, readTaskId } from './request/read-task-id.ts';

export function taskRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id', requireScope(deps, 'read'), async (c) => {
    const id = c.req.param('id');
    return c.json((await readTask(deps.db, await readTaskId(deps.db, id))) ?? noTask(id));
  });

  app.get('/:id/attempts', requireScope(deps, 'read'), async (c) => {
    const id = c.req.param('id');
    const address = await readTaskId(deps.db, id);
    const { limit, cursor } = readQuery(c.req, attemptsQuery);
    return c.json((await listAttempts(deps.db, { address, limit, after: cursor })) ?? noTask(id));
  });

  app.get('/:id/explain', requireScope(deps, 'read'), async (c) => {
    const id = c.req.param('id');
    const address = await readTaskId(deps.db, id);
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
