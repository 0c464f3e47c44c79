import {
  AGENT_PROTOCOL,
  ApiError,
  agentNameSchema,
  type ClaimAnswer,
  claimRequestSchema,
  heartbeatRequestSchema,
  itemsRequestSchema,
  type ResultsAnswer,
  registerRequestSchema,
  resultsRequestSchema,
} from '@planfleet/shared-types';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { requireAgentName } from '../auth/restrictions.ts';
import type { Deps } from '../deps.ts';
import { listAgents } from '../store/queries/list-agents.ts';
import { finishAttempts } from '../store/transitions/finish-attempts.ts';
import { recordHeartbeat } from '../store/transitions/record-heartbeat.ts';
import { registerAgent } from '../store/transitions/register-agent.ts';
import { storeListChunks } from '../store/transitions/store-list-chunks.ts';
import { holdClaim } from './hold-claim.ts';
import { invalid, parseInput } from './request/parse-input.ts';
import { agentsQuery, claimQuery } from './request/queries.ts';
import { decodeText, readBody } from './request/read-body.ts';
import { parseJson, readJson } from './request/read-json.ts';
import { readQuery } from './request/read-query.ts';
import { setAsideIncomplete } from './set-aside-incomplete.ts';

/** Read before anything else: an agent that is too old says the rest in its own way. */
const protocolSchema = z.looseObject({ protocol: z.int() });

export function agentRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, settings, wake, brain } = deps;
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

  app.post('/:name/claim', requireScope(deps, 'agent'), async (c) => {
    const agent = readAgentName(c);
    const { wait } = readQuery(c.req, claimQuery);
    const request = await readJson(c.req, claimRequestSchema, settings.max_json_bytes);
    const wait_ms = Math.min(wait * 1_000, settings.poll_ms);
    const result = await holdClaim(deps, { agent, request, wait_ms, signal: c.req.raw.signal });
    if (!result.ok) throw superseded(agent);
    return c.json(result.answer satisfies ClaimAnswer);
  });

  app.post('/:name/results', requireScope(deps, 'agent'), async (c) => {
    const agent = readAgentName(c);
    const { session, reports, claim } = await readJson(c.req, resultsRequestSchema, settings.max_json_bytes);
    if (claim !== null && claim.session !== session) {
      throw invalid([{ path: 'claim.session', message: 'Reports and claim must be of the same session.' }]);
    }
    const { complete, mergeResults } = await setAsideIncomplete(deps.artifacts, reports);
    const now = clock.now();
    const asked = { agent, session, reports: complete, claim, now, lease_ms, random: deps.random };
    const result = await finishAttempts(db, asked);
    if (!result.ok) throw superseded(agent);
    wake.notify();
    if (result.brain_due) brain.kick();
    const answer = { ...result.answer, results: mergeResults(result.answer.results) };
    return c.json(answer satisfies ResultsAnswer);
  });

  app.post('/:name/heartbeat', requireScope(deps, 'agent'), async (c) => {
    const agent = readAgentName(c);
    const request = await readJson(c.req, heartbeatRequestSchema, settings.max_json_bytes);
    const result = await recordHeartbeat(db, { agent, request, now: clock.now(), lease_ms });
    if (!result.ok) throw superseded(agent);
    return c.json(result.answer);
  });

  app.post('/:name/items', requireScope(deps, 'agent'), async (c) => {
    const agent = readAgentName(c);
    const request = await readJson(c.req, itemsRequestSchema, settings.max_json_bytes);
    for (const [index, chunk] of request.chunks.entries()) {
      const digest = await deps.sha256(new TextEncoder().encode(JSON.stringify(chunk.items)));
      if (digest === chunk.sha256) continue;
      const message = `The items have the sha256 ${digest}, not the announced one.`;
      throw invalid([{ path: `chunks.${index}.sha256`, message }]);
    }
    const result = await storeListChunks(db, { agent, request });
    if (result.ok) return c.json({ ok: true });
    if (result.reason === 'session_superseded') throw superseded(agent);
    throw new ApiError('conflict', 'The lease under which the list was read is over.', {
      details: { reason: result.reason },
    });
  });

  app.get('/', requireScope(deps, 'read'), async (c) =>
    c.json(await listAgents(db, { ...readQuery(c.req, agentsQuery), now: clock.now() })),
  );

  return app;
}

function readAgentName(c: Context<AppEnv>): string {
  const name = parseInput(agentNameSchema, c.req.param('name'));
  requireAgentName(c.var.principal, name);
  return name;
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

function superseded(agent: string): ApiError {
  return new ApiError('session_superseded', `Another process has registered as ${agent} since.`, {
    hint: 'If both are meant to run, give one of them another --name.',
  });
}
