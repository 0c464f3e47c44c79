import { setTimeout as delay } from 'node:timers/promises';
import { type BatchView, batchViewSchema, type StageView } from '@planfleet/shared-types';
import { type ApiClient, isAbort } from './api-client.ts';
import { batchPath } from './batch-path.ts';
import { formatStage } from './format-progress.ts';
import { readStages } from './read-stages.ts';
import { isRetryable } from './retry-request.ts';

export interface WatchOptions {
  readonly client: ApiClient;
  readonly batch_id: string;
  say(line: string): void;
  /** Ends the watching; the batch goes on. */
  readonly signal: AbortSignal;
  /** Between two looks: short at first, so that a small batch is over when it is over. */
  readonly first_poll_ms?: number;
  readonly longest_poll_ms?: number;
  /** Between two lines of progress. */
  readonly line_ms?: number;
}

export interface Watched {
  readonly batch: BatchView;
  readonly raw: unknown;
}

const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled']);

/** Prints progress until the batch has ended; null when `signal` came first. Outlives any outage. */
export async function watchBatch(options: WatchOptions): Promise<Watched | null> {
  const { client, batch_id, say, signal } = options;
  const { first_poll_ms = 300, longest_poll_ms = 2_000, line_ms = 1_000 } = options;
  const shown = new Map<string, string>();
  let saidAt = Number.NEGATIVE_INFINITY;
  let away = false;
  for (let wait = first_poll_ms; ; wait = Math.min(longest_poll_ms, wait * 1.3)) {
    try {
      const { raw, value: batch } = await client.read(batchViewSchema, batchPath(batch_id), { signal });
      const { stages } = await readStages(client, batch_id, signal);
      if (away) say('The control plane answers again.');
      away = false;
      const ended = ENDED.has(batch.state);
      if (ended || performance.now() - saidAt >= line_ms) {
        const line = changes(stages, shown, ended);
        if (line !== null) {
          say(line);
          saidAt = performance.now();
        }
      }
      if (ended) return { batch, raw };
    } catch (error) {
      if (signal.aborted && isAbort(error)) return null;
      if (!isRetryable(error)) throw error;
      if (!away)
        say('The control plane does not answer; trying again until it does. The batch is not affected.');
      away = true;
    }
    try {
      await delay(wait, undefined, { signal });
    } catch {
      return null;
    }
  }
}

/** The stages whose counts changed since they were last shown, on one line; null: none did. */
function changes(stages: readonly StageView[], shown: Map<string, string>, ended: boolean): string | null {
  const changed: string[] = [];
  for (const stage of stages) {
    const text = formatStage(stage, ended);
    const before = shown.get(stage.key);
    // A stage that has not begun says nothing yet.
    if (text === before || (before === undefined && stage.state === 'waiting')) continue;
    shown.set(stage.key, text);
    changed.push(text);
  }
  return changed.length === 0 ? null : changed.join('; ');
}
