import { ApiError, agentNameSchema } from '@planfleet/shared-types';
import { Hono, type HonoRequest } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { listAgents } from '../store/queries/list-agents.ts';
import { readAgent } from '../store/queries/read-agent.ts';
import { drainAgent, resumeAgent } from '../store/transitions/drain-agent.ts';
import { parseInput } from './request/parse-input.ts';
import { agentsQuery } from './request/queries.ts';
import { readQuery } from './request/read-query.ts';

/** The machines, as people see them. */
export function agentRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, wake } = deps;

  app.get('/', requireScope(deps, 'read'), async (c) =>
    c.json(await listAgents(db, { ...readQuery(c.req, agentsQuery), now: clock.now() })),
  );

  app.get('/:name', requireScope(deps, 'read'), async (c) => {
    const name = readName(c.req);
    return c.json((await readAgent(db, { name, now: clock.now() })) ?? noAgent(name));
  });

  for (const [action, transition] of [
    ['drain', drainAgent],
    ['resume', resumeAgent],
  ] as const) {
    app.post(`/:name/${action}`, requireScope(deps, 'operate'), async (c) => {
      const name = readName(c.req);
      const asked = { agent: name, by: c.var.principal.subject, now: clock.now() };
      if (!(await transition(db, asked))) noAgent(name);
      wake.notify();
      return c.json((await readAgent(db, { name, now: clock.now() })) ?? noAgent(name));
    });
  }

  return app;
}

function readName(request: HonoRequest): string {
  return parseInput(agentNameSchema, request.param('name'));
}

function noAgent(name: string): never {
  throw new ApiError('not_found', `There is no agent ${name}.`, {
    hint: 'planfleet agents lists them.',
  });
}
