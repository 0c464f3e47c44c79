import type { BatchEvent, EndEvent, StageEvent } from '@planfleet/shared-types';
import type { Deps } from '../deps.ts';
import type { WatchPlace } from '../watch/batch-watch.ts';
import type { WatchedBatch } from '../watch/watched-batch.ts';

export interface BatchEventsOptions {
  readonly place: WatchPlace;
  readonly first: WatchedBatch;
  /** The last event that the client has had, as its id says. */
  readonly last_event_id: string | null;
  readonly isStillAllowed: () => Promise<boolean>;
}

/** How soon a client comes back that has lost the stream. */
const RETRY_MS = 1_000;

/**
 * The events of a batch as a stream of server-sent events. It looks for news only when the client has taken what there
 * was: a slow one is told less often, and nothing piles up for it.
 */
export function streamBatchEvents(deps: Deps, options: BatchEventsOptions): ReadableStream<Uint8Array> {
  const { settings, clock } = deps;
  const { place, first, last_event_id, isStillAllowed } = options;
  const encoder = new TextEncoder();
  const until = clock.now() + settings.events_ms;
  let sent: WatchedBatch | null = last_event_id === first.version ? first : null;
  let news: WatchedBatch | null = sent === null ? first : null;
  let opened = false;

  /** What goes out next; null: the stream ends. */
  async function read(): Promise<string | null> {
    if (sent !== null && sent.batch.finished_at !== null) return null;
    if (news === null) {
      const left = Math.min(settings.events_heartbeat_ms, until - clock.now());
      if (left <= 0) return null;
      const told = await place.next(sent?.version ?? null, left);
      if (told === 'released' || told === 'gone' || !(await isStillAllowed())) return null;
      if (told === 'timeout') return ': still here\n\n';
      news = told;
    }
    const text = writeEvents(sent, news);
    sent = news;
    news = null;
    return text;
  }

  return new ReadableStream({
    async pull(controller) {
      if (!opened) {
        opened = true;
        // At once, so that the client knows that it is connected.
        const opening = `retry: ${RETRY_MS}\n\n${news === null ? '' : await read()}`;
        return controller.enqueue(encoder.encode(opening));
      }
      const text = await read();
      if (text !== null) return controller.enqueue(encoder.encode(text));
      place.leave();
      controller.close();
    },
    cancel() {
      place.leave();
    },
  });
}

/**
 * What is new since `sent`. Only the last of the events carries the id of what they lead to: who is cut off among them
 * gets all of them again.
 */
function writeEvents(sent: WatchedBatch | null, { batch, stages, version }: WatchedBatch): string {
  const events: [name: string, data: BatchEvent | StageEvent | EndEvent][] = [];
  if (sent === null) events.push(['batch', { ...batch, stages: [...stages] }]);
  else {
    const before = new Map(sent.stages.map((stage) => [stage.key, JSON.stringify(stage)]));
    const items = stages.filter((stage) => before.get(stage.key) !== JSON.stringify(stage));
    if (items.length > 0) events.push(['stage', { items }]);
    if (JSON.stringify(batch) !== JSON.stringify(sent.batch)) events.push(['batch', batch]);
  }
  if (batch.finished_at !== null) events.push(['end', batch]);
  return events
    .map(([name, data], index) => {
      const id = index === events.length - 1 ? `id: ${version}\n` : '';
      return `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    })
    .join('');
}
