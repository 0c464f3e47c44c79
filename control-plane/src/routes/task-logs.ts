import { ApiError } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { findTaskKey } from '../store/queries/read-log.ts';
import { answerFollow } from './logs/answer-follow.ts';
import { answerLog } from './logs/answer-log.ts';
import { invalid } from './request/parse-input.ts';
import { logsQuery } from './request/queries.ts';
import { readQuery } from './request/read-query.ts';
import { noTask, readTaskId } from './request/read-task-id.ts';

/** The output of a task: what there is, or as it comes. */
export function taskLogRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.get('/:id/logs', requireScope(deps, 'read'), async (c) => {
    const id = c.req.param('id');
    const task = (await findTaskKey(deps.db, await readTaskId(deps.db, id))) ?? noTask(id);
    const { stage, ordinal } = task;
    const { follow, ...query } = readQuery(c.req, logsQuery);
    if (follow === '1' && c.req.method !== 'HEAD') {
      const reached = readPlace(c.req.header('last-event-id'));
      const { isStillAllowed } = c.var;
      return answerFollow(c, deps, { stage, ordinal, ...query, ...reached, isStillAllowed });
    }
    const attempt = query.attempt ?? task.attempt;
    if (attempt > task.attempt) {
      throw new ApiError(
        'not_found',
        `Task ${id} has no attempt ${attempt}: ${task.attempt === 0 ? 'none has begun' : `the newest is ${task.attempt}`}.`,
        {
          hint: 'Without a number it is the newest one.',
        },
      );
    }
    return answerLog(c, deps, { stage, ordinal, attempt, offset: query.offset });
  });

  return app;
}

/** Where a reader was when its connection broke, from the id of the last event it got. */
function readPlace(id: string | undefined): { attempt?: number; offset?: number } {
  if (id === undefined || id === '') return {};
  const match = /^(\d{1,9})\.(\d{1,15})$/.exec(id);
  if (match === null) {
    throw invalid([
      { path: 'Last-Event-ID', message: 'It is the id of an event of this task, like 1.2048.' },
    ]);
  }
  const attempt = Number(match[1]);
  return attempt === 0 ? {} : { attempt, offset: Number(match[2]) };
}
