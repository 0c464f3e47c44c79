import { ApiError, formatTaskId, type TaskState } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { retryTask } from '../store/transitions/retry-task.ts';
import { signalTask } from '../store/transitions/signal-task.ts';
import { noTask, readTaskId } from './request/read-task-id.ts';

/** What operators do to a task. */
export function taskOperationRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, wake, brain } = deps;

  app.post('/:id/retry', requireScope(deps, 'operate'), async (c) => {
    const address = await readTaskId(db, c.req.param('id'));
    const task = formatTaskId(address);
    const result = await retryTask(db, { ...address, by: c.var.principal.subject, now: clock.now() });
    if (!result.ok) {
      if (result.reason === 'not_found') return noTask(task);
      throw new ApiError(
        'conflict',
        `Task ${task} ${stateText(result.state)}: only one that was given up can be retried.`,
        {
          hint: HINTS[result.state] ?? 'planfleet explain says what it waits for.',
          details: { state: result.state, batch_state: result.batch_state },
        },
      );
    }
    wake.notify();
    brain.kick();
    return c.json({ task, tasks: result.tasks });
  });

  for (const kind of ['abort', 'kill'] as const) {
    app.post(`/:id/${kind}`, requireScope(deps, 'operate'), async (c) => {
      const address = await readTaskId(db, c.req.param('id'));
      const task = formatTaskId(address);
      const result = await signalTask(db, {
        ...address,
        kind,
        by: c.var.principal.subject,
        now: clock.now(),
      });
      if (!result.ok) {
        if (result.reason === 'not_found') return noTask(task);
        throw new ApiError('conflict', `Task ${task} is not running: it ${stateText(result.state)}.`, {
          details: { state: result.state },
        });
      }
      wake.notify();
      brain.kick();
      return c.json({ task, agent: result.agent, signal: result.cancelled ? 'stop' : kind });
    });
  }

  return app;
}

function stateText(state: TaskState): string {
  return state === 'succeeded' ? 'has succeeded' : `is ${state === 'leased' ? 'running' : state}`;
}

const HINTS: Readonly<Record<string, string>> = {
  skipped:
    'It was skipped for want of another task; planfleet explain names it, and its retry brings this one along.',
  succeeded: 'What has succeeded is kept; submit the plan again to run it once more.',
  leased: 'It is running; planfleet abort ends this attempt.',
  cancelled: 'A cancelled batch is not retried; submit the plan again.',
};
