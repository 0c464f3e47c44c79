import { setTimeout as sleep } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { ApiClient } from './api-client.ts';
import { isRetryable } from './retry-request.ts';

/** The server says something every 15 s: after three times that, the connection is dead. */
const SILENCE_MS = 45_000;
const MAX_WAIT_MS = 5_000;

export interface FollowEventsOptions {
  readonly client: ApiClient;
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | undefined>>;
  /** Ends the following, as if the last one had come. */
  readonly signal?: AbortSignal;
  /** True: it was the last one. */
  onEvent(event: EventSourceMessage): boolean;
  /** The connection was lost, and is being made again. */
  onLost(): void;
}

/**
 * Server-sent events until the last one, over as many connections as it takes: each goes on behind the last
 * event that came. Rejects when the first connection cannot be made, and when the server refuses.
 */
export async function followEvents(options: FollowEventsOptions): Promise<void> {
  const { signal } = options;
  let lastId: string | undefined;
  let failures = 0;
  for (let connections = 0; ; ) {
    try {
      const isOver = await readEvents(options, lastId, (id) => {
        lastId = id ?? lastId;
        failures = 0;
        connections += 1;
      });
      if (isOver || signal?.aborted) return;
    } catch (error) {
      if (signal?.aborted) return;
      if (connections === 0 || !isRetryable(error)) throw error;
    }
    // Cut by something in between after a while of silence: no outage to speak of.
    if (failures === 1) options.onLost();
    const waitMs = Math.min(MAX_WAIT_MS, 250 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2);
    await sleep(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    if (signal?.aborted) return;
    failures += 1;
  }
}

/** One connection. True: the last event came. False: it broke off. */
async function readEvents(
  { client, path, query, signal, onEvent }: FollowEventsOptions,
  lastId: string | undefined,
  onSign: (id: string | undefined) => void,
): Promise<boolean> {
  const abort = new AbortController();
  const either = signal === undefined ? abort.signal : AbortSignal.any([abort.signal, signal]);
  const headers = {
    accept: 'text/event-stream',
    ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
  };
  const response = await client.request('GET', path, { query, headers, signal: either });
  let isOver = false;
  const parser = createParser({
    onEvent: (event) => {
      onSign(event.id);
      isOver = onEvent(event) || isOver;
    },
    onComment: () => onSign(undefined),
  });
  const decoder = new TextDecoder();
  let silence = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    for await (const piece of response.body ?? []) {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
      parser.feed(decoder.decode(piece, { stream: true }));
      if (isOver) break;
    }
  } catch {
    // Broken off: what came counts, and the next connection brings the rest.
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
  return isOver;
}
