import {
  ApiError,
  type ClaimAnswer,
  claimRequestSchema,
  type ItemsRequest,
  itemsRequestSchema,
  type ResultsAnswer,
  resultsRequestSchema,
} from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { finishAttempts } from '../store/transitions/finish-attempts.ts';
import { storeListChunks } from '../store/transitions/store-list-chunks.ts';
import { checkLogs } from './check-logs.ts';
import { holdClaim } from './hold-claim.ts';
import { invalid } from './request/parse-input.ts';
import { claimQuery } from './request/queries.ts';
import { readAgentName } from './request/read-agent-name.ts';
import { readJson } from './request/read-json.ts';
import { readQuery } from './request/read-query.ts';
import { setAsideIncomplete } from './set-aside-incomplete.ts';
import { superseded } from './superseded.ts';

/** An agent takes tasks and brings their results. */
export function agentWorkRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, settings, wake, brain } = deps;
  const { lease_ms } = settings;

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
    const checked = await checkLogs(deps.artifacts, complete);
    const asked = { agent, session, reports: checked, claim, now, lease_ms, random: deps.random };
    const result = await finishAttempts(db, asked);
    if (!result.ok) throw superseded(agent);
    wake.notify();
    for (const report of complete) deps.logs.ring(report);
    if (result.brain_due) brain.kick();
    const answer = { ...result.answer, results: mergeResults(result.answer.results) };
    return c.json(answer satisfies ResultsAnswer);
  });

  app.post('/:name/items', requireScope(deps, 'agent'), async (c) => {
    const agent = readAgentName(c);
    const request = await readJson(c.req, itemsRequestSchema, settings.max_json_bytes);
    await checkHashes(deps, request.chunks);
    const result = await storeListChunks(db, { agent, request });
    if (result.ok) return c.json({ ok: true });
    if (result.reason === 'session_superseded') throw superseded(agent);
    throw new ApiError('conflict', 'The lease under which the list was read is over.', {
      details: { reason: result.reason },
    });
  });

  return app;
}

async function checkHashes(deps: Deps, chunks: ItemsRequest['chunks']): Promise<void> {
  for (const [index, chunk] of chunks.entries()) {
    const digest = await deps.sha256(new TextEncoder().encode(JSON.stringify(chunk.items)));
    if (digest === chunk.sha256) continue;
    const message = `The items have the sha256 ${digest}, not the announced one.`;
    throw invalid([{ path: `chunks.${index}.sha256`, message }]);
  }
}
