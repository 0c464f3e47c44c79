import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';

/** For installations whose timer is somebody else's cron. */
export function tickRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.post('/', requireScope(deps, 'tick'), async (c) => {
    const report = await deps.brain.tick();
    deps.wake.notify();
    return c.json(report);
  });

  return app;
}
