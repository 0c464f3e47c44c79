import { setTimeout as delay } from 'node:timers/promises';
import { type BatchView, batchViewSchema } from '@planfleet/shared-types';
import { type ApiClient, isAbort } from './api-client.ts';
import { batchPath } from './batch-path.ts';
import { hasEnded } from './format-progress.ts';
import type { ProgressView } from './progress/progress-view.ts';
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
  const { client, batch_id, view, signal, first_poll_ms = 300, longest_poll_ms = 2_000 } = options;
  let away = false;
  for (let wait = first_poll_ms; ; wait = Math.min(longest_poll_ms, wait * 1.3)) {
    try {
      const { raw, value: batch } = await client.read(batchViewSchema, batchPath(batch_id), { signal });
      const { stages, raw: rawStages } = await readStages(client, batch_id, signal);
      if (away) view.away(false);
      away = false;
      const ended = hasEnded(batch);
      view.show({ batch, stages, ended, raw: { ...(raw as object), stages: rawStages } });
      if (ended) return batch;
    } catch (error) {
      if (signal.aborted && isAbort(error)) return null;
      if (!isRetryable(error)) throw error;
      if (!away) view.away(true);
      away = true;
    }
    try {
      await delay(wait, undefined, { signal });
    } catch {
      return null;
    }
  }
}
