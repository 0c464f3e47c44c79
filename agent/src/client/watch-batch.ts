import { setTimeout as delay } from 'node:timers/promises';
import { agentViewSchema, type BatchView, batchViewSchema, pageSchema } from '@planfleet/shared-types';
import { type ApiClient, isAbort } from './api-client.ts';
import { batchPath } from './batch-path.ts';
import { hasEnded } from './format-progress.ts';
import { AWAY, NO_AGENTS, type Notice, type ProgressView } from './progress/progress-view.ts';
import { readStages } from './read-stages.ts';
import { isRetryable } from './retry-request.ts';

export interface WatchOptions {
  readonly client: ApiClient;
  readonly batch_id: string;
  readonly view: ProgressView;
  /** Ends the watching; the batch goes on. */
  readonly signal: AbortSignal;
  /** Between two looks: short at first, so that a small batch is over when it is over. */
  readonly first_poll_ms?: number;
  readonly longest_poll_ms?: number;
}

/** Shows progress until the batch has ended; null when `signal` came first. Outlives any outage. */
export async function watchBatch(options: WatchOptions): Promise<BatchView | null> {
  const { view } = options;
  try {
    return await lookUntilEnd(options);
  } finally {
    view.close();
  }
}

async function lookUntilEnd(options: WatchOptions): Promise<BatchView | null> {
  const { client, batch_id, view, signal, first_poll_ms = 300, longest_poll_ms = 1_000 } = options;
  const findObstacle = watchForAgents(options);
  for (let wait = first_poll_ms; ; wait = Math.min(longest_poll_ms, wait * 1.3)) {
    try {
      const { raw, value: batch } = await client.read(batchViewSchema, batchPath(batch_id), { signal });
      const { stages, raw: rawStages } = await readStages(client, batch_id, signal);
      view.notice(await findObstacle(batch));
      const ended = hasEnded(batch);
      view.show({ batch, stages, ended, raw: { ...(raw as object), stages: rawStages } });
      if (ended) return batch;
    } catch (error) {
      if (signal.aborted && isAbort(error)) return null;
      if (!isRetryable(error)) throw error;
      view.notice(AWAY);
    }
    try {
      await delay(wait, undefined, { signal });
    } catch {
      return null;
    }
  }
}

/** Longer than an agent that is there takes for its first task. */
const IDLE_MS = 3_000;
/** An agent that is being started is seen soon; the question costs little. */
const ASK_AGENTS_MS = 5_000;

/** Whoever submits before the first agent is there would wait without knowing for what. */
function watchForAgents({ client, signal }: WatchOptions): (batch: BatchView) => Promise<Notice | null> {
  let idleSince: number | null = null;
  let askedAt = Number.NEGATIVE_INFINITY;
  let notice: Notice | null = null;
  return async (batch) => {
    const now = performance.now();
    const isIdle = batch.state === 'active' && batch.ready > 0 && batch.leased === 0;
    if (!isIdle) {
      idleSince = null;
      notice = null;
      return null;
    }
    idleSince ??= now;
    if (now - idleSince < IDLE_MS || now - askedAt < ASK_AGENTS_MS) return notice;
    askedAt = now;
    const connected = await hasAgent(client, signal);
    notice = connected ? null : NO_AGENTS;
    return notice;
  };
}

const agentsSchema = pageSchema(agentViewSchema);

/** It is only asked by the way: a refusal is no reason to end the watching. */
async function hasAgent(client: ApiClient, signal: AbortSignal): Promise<boolean> {
  try {
    const { items } = await client.get(agentsSchema, '/v1/agents', { query: { limit: 500 }, signal });
    return items.some((agent) => agent.state === 'connected');
  } catch (error) {
    if (isAbort(error) || isRetryable(error)) throw error;
    return true;
  }
}
