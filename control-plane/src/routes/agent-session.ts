import {
  AGENT_PROTOCOL,
  ApiError,
  heartbeatRequestSchema,
  registerRequestSchema,
} from '@planfleet/shared-types';
import { Hono } from 'hono';
import * as z from 'zod';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { requireAgentName } from '../auth/restrictions.ts';
import type { Deps } from '../deps.ts';
import { recordHeartbeat } from '../store/transitions/record-heartbeat.ts';
import { registerAgent } from '../store/transitions/register-agent.ts';
import { invalid, parseInput } from './request/parse-input.ts';
import { readAgentName } from './request/read-agent-name.ts';
import { decodeText, readBody } from './request/read-body.ts';
import { parseJson, readJson } from './request/read-json.ts';
import { superseded } from './superseded.ts';

/** Read before anything else: an agent that is too old says the rest in its own way. */
const protocolSchema = z.looseObject({ protocol: z.int() });

/** An agent says that it is there, and what it runs. */
export function agentSessionRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, settings, wake } = deps;
  const { lease_ms } = settings;

  app.post('/register', requireScope(deps, 'agent'), async (c) => {
    const body = parseJson(
      decodeText(await readBody(c.req, settings.max_json_bytes), 'The body'),
      'The body',
    );
    refuseProtocol(parseInput(protocolSchema, body).protocol);
    const request = parseInput(registerRequestSchema, body);
    requireAgentName(c.var.principal, request.name);
    const result = await registerAgent(db, { request, now: clock.now(), lease_ms });
    if (!result.ok) throw superseded(request.name);
    // What the agent's former process held is ready again.
    wake.notify();
    const { heartbeat_ms, poll_ms, internal_cycle_ms } = settings;
    return c.json({ session: result.session, lease_ms, heartbeat_ms, poll_ms, internal_cycle_ms });
  });

  app.post('/:name/heartbeat', requireScope(deps, 'agent'), async (c) => {
    const agent = readAgentName(c);
    const request = await readJson(c.req, heartbeatRequestSchema, settings.max_json_bytes);
    const result = await recordHeartbeat(db, { agent, request, now: clock.now(), lease_ms });
    if (!result.ok) throw superseded(agent);
    return c.json(result.answer);
  });

  return app;
}

function refuseProtocol(protocol: number): void {
  if (protocol < AGENT_PROTOCOL) {
    throw new ApiError(
      'agent_too_old',
      `The agent speaks protocol ${protocol}, this needs ${AGENT_PROTOCOL}.`,
      {
        hint: 'Install on that machine the planfleet version of the control plane.',
        details: { protocol: AGENT_PROTOCOL },
      },
    );
  }
  if (protocol > AGENT_PROTOCOL) {
    const message = `The agent speaks protocol ${protocol}, newer than this control plane (${AGENT_PROTOCOL}).`;
    throw invalid([{ path: 'protocol', message }], 'Upgrade the control plane first.');
  }
}
