import { ApiError } from '@planfleet/shared-types';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import { readWake } from '../store/queries/read-wake.ts';

/** The only routes without a token. */
export function healthRoutes(deps: Deps): Hono {
  const app = new Hono();

  // Says that the process answers, and nothing of what stands behind it: a database that is away is no reason
  // to restart the server.
  app.get('/healthz', (c) => c.json({ ok: true }));

  app.get('/readyz', async (c) => {
    try {
      await readWake(deps.db);
    } catch (error) {
      deps.log({ level: 'warn', message: 'Not ready: the database cannot be read.', error: String(error) });
      throw new ApiError('busy', 'The database cannot be read.', { cause: error });
    }
    return c.json({ ok: true });
  });

  return app;
}
