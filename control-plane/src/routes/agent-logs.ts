import { type LogsAnswer, logsRequestSchema } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { noteLogArrivals } from '../store/transitions/note-log-arrivals.ts';
import { storeLogChunks } from '../store/transitions/store-log-chunks.ts';
import { invalid } from './request/parse-input.ts';
import { readAgentName } from './request/read-agent-name.ts';
import { readJson } from './request/read-json.ts';
import { superseded } from './superseded.ts';

/** Output of running attempts, many in one request. */
export function agentLogRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.post('/:name/logs', requireScope(deps, 'agent'), async (c) => {
    const agent = readAgentName(c);
    const { session, chunks, arrived } = await readJson(
      c.req,
      logsRequestSchema,
      deps.settings.max_json_bytes,
    );
    const attempts = new Set(chunks.map((chunk) => `${chunk.stage}:${chunk.ordinal}:${chunk.attempt}`));
    if (attempts.size < chunks.length) {
      throw invalid([{ path: 'chunks', message: 'A request brings one chunk of an attempt.' }]);
    }
    const result = await storeLogChunks(deps.db, { agent, session, chunks, now: deps.clock.now() });
    if (!result.ok) throw superseded(agent);
    if (arrived.length > 0) {
      const there = await deps.artifacts.has(arrived.map((log) => log.sha256));
      await noteLogArrivals(deps.db, { agent, arrived: arrived.filter((log) => there.has(log.sha256)) });
    }
    for (const chunk of chunks) deps.logs.ring(chunk);
    const followed = result.followed || chunks.some((chunk) => deps.logs.isFollowed(chunk));
    const { log_pace_ms, followed_log_pace_ms } = deps.settings;
    const pace_ms = followed ? followed_log_pace_ms : log_pace_ms;
    return c.json({ refused: result.refused, pace_ms } satisfies LogsAnswer);
  });

  return app;
}
