import { ApiError } from '@planfleet/shared-types';
import { Hono } from 'hono';
import type { AppEnv } from './auth/require-scope.ts';
import type { Deps } from './deps.ts';
import { agentRoutes } from './routes/agents.ts';
import { batchRoutes } from './routes/batches.ts';
import { blobRoutes } from './routes/blobs.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { healthRoutes } from './routes/health.ts';
import { planRoutes } from './routes/plans.ts';
import { renderProblem } from './routes/render-problem.ts';
import { submissionRoutes } from './routes/submissions.ts';
import { taskRoutes } from './routes/tasks.ts';
import { tickRoutes } from './routes/tick.ts';
import { tokenRoutes } from './routes/tokens.ts';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/** The whole HTTP side, on any runtime. */
export function createApp(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.route('/', healthRoutes(deps));
  app.route('/v1/plans', planRoutes(deps));
  app.route('/v1/batches', submissionRoutes(deps));
  app.route('/v1/batches', batchRoutes(deps));
  app.route('/v1/tasks', taskRoutes(deps));
  app.route('/v1/agents', agentRoutes(deps));
  app.route('/v1/blobs', blobRoutes(deps));
  app.route('/v1/decisions', decisionRoutes(deps));
  app.route('/v1/tokens', tokenRoutes(deps));
  app.route('/v1/tick', tickRoutes(deps));

  app.notFound((c) => {
    const allow = METHODS.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
    const error =
      allow.length > 0
        ? new ApiError('method_not_allowed', `${c.req.path} takes ${allow.join(', ')}.`, {
            details: { allow },
          })
        : new ApiError('not_found', `There is nothing at ${c.req.path}.`);
    return renderProblem(error, c, deps.log);
  });
  app.onError((error, c) => renderProblem(error, c, deps.log));
  return app;
}
