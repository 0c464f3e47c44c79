import { ApiError } from '@planfleet/shared-types';
import { Hono } from 'hono';
import type { AppEnv } from './auth/require-scope.ts';
import type { Deps } from './deps.ts';
import { agentLogRoutes } from './routes/agent-logs.ts';
import { agentSessionRoutes } from './routes/agent-session.ts';
import { agentWorkRoutes } from './routes/agent-work.ts';
import { agentRoutes } from './routes/agents.ts';
import { batchOperationRoutes } from './routes/batch-operations.ts';
import { batchRoutes } from './routes/batches.ts';
import { blobRoutes } from './routes/blobs.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { descriptionRoutes } from './routes/description.ts';
import { healthRoutes } from './routes/health.ts';
import { metricRoutes } from './routes/metrics.ts';
import { planRoutes } from './routes/plans.ts';
import { renderProblem } from './routes/render-problem.ts';
import { submissionRoutes } from './routes/submissions.ts';
import { taskLogRoutes } from './routes/task-logs.ts';
import { taskOperationRoutes } from './routes/task-operations.ts';
import { taskRoutes } from './routes/tasks.ts';
import { tickRoutes } from './routes/tick.ts';
import { tokenRoutes } from './routes/tokens.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The whole HTTP side, on any runtime. */
export function createApp(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  // What is told to one token must not be kept for another; a route that answers what never changes says so itself.
  app.use(async (c, next) => {
    c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
    await next();
  });
  app.route('/', healthRoutes(deps));
  app.route('/', descriptionRoutes(deps));
  app.route('/metrics', metricRoutes(deps));
  app.route('/v1/plans', planRoutes(deps));
  app.route('/v1/batches', submissionRoutes(deps));
  app.route('/v1/batches', batchRoutes(deps));
  app.route('/v1/batches', batchOperationRoutes(deps));
  app.route('/v1/tasks', taskRoutes(deps));
  app.route('/v1/tasks', taskLogRoutes(deps));
  app.route('/v1/tasks', taskOperationRoutes(deps));
  app.route('/v1/agents', agentSessionRoutes(deps));
  app.route('/v1/agents', agentWorkRoutes(deps));
  app.route('/v1/agents', agentRoutes(deps));
  app.route('/v1/agents', agentLogRoutes(deps));
  app.route('/v1/blobs', blobRoutes(deps));
  app.route('/v1/decisions', decisionRoutes(deps));
  app.route('/v1/tokens', tokenRoutes(deps));
  app.route('/v1/tick', tickRoutes(deps));

  app.notFound((c) => {
    const allow = METHODS.filter((method) => hasRoute(app, method, c.req.path));
    // Hono answers HEAD wherever it answers GET.
    if (allow[0] === 'GET') allow.splice(1, 0, 'HEAD');
    const error =
      allow.length > 0
        ? new ApiError('method_not_allowed', `${c.req.path} takes ${allow.join(', ')}.`, {
            details: { allow },
          })
        : new ApiError('not_found', `There is nothing at ${c.req.path}.`, {
            hint: '/docs lists what there is, for people; /openapi.json for programs.',
          });
    return renderProblem(error, c, deps.log);
  });
  app.onError((error, c) => renderProblem(error, c, deps.log));
  return app;
}

/** Whether a handler of its own answers this; what runs before every route does not count. */
function hasRoute(app: Hono<AppEnv>, method: string, path: string): boolean {
  return app.router.match(method, path)[0].some(([[, route]]) => route.method !== 'ALL');
}
