import type { BatchEvent, DecisionEvent, DecisionView, EndEvent, StageEvent } from '@planfleet/shared-types';
import type { Deps } from '../../deps.ts';
import { listDecisions } from '../../store/queries/list-decisions.ts';
import type { WatchPlace } from '../../watch/batch-watch.ts';
import type { WatchedBatch } from '../../watch/watched-batch.ts';
import { SIGN_OF_LIFE } from './event-stream.ts';

export interface BatchEventsOptions {
  readonly place: WatchPlace;
  readonly first: WatchedBatch;
  /** The last event that the client has had, as its id says. Anything that is no such id: none. */
  readonly last_event_id: string | null;
  readonly isStillAllowed: () => Promise<boolean>;
}

/** How soon a client comes back that has lost the stream. */
const RETRY_MS = 1_000;
/** Decisions of one event. */
const MAX_DECISIONS = 100;

/** What a client has been told. */
interface Told {
  readonly batch: WatchedBatch | null;
  /** Id of the last decision. */
  readonly decision: number;
}

/** The id of the last event of a stream that has told everything. */
export function finalEventId({ version, last_decision }: WatchedBatch): string {
  return `${version}.${last_decision}`;
}

/**
 * The events of a batch as a stream of server-sent events. It looks for news only when the client has taken what there
 * was: a slow one is told less often, and nothing piles up for it.
 */
export function streamBatchEvents(deps: Deps, options: BatchEventsOptions): ReadableStream<Uint8Array> {
  const { place, first, last_event_id } = options;
  const encoder = new TextEncoder();
  const until = deps.clock.now() + deps.settings.events_ms;
  let told = resume(first, last_event_id);
  let now = first;
  let opened = false;

  /** What goes out next; null: the stream ends. */
  async function read(): Promise<string | null> {
    if (isUpToDate(told, now)) {
      if (now.batch.finished_at !== null) return null;
      const left = Math.min(deps.settings.events_heartbeat_ms, until - deps.clock.now());
      if (left <= 0) return null;
      const found = await place.next(now.version, left);
      if (found === 'released' || found === 'gone' || !(await options.isStillAllowed())) return null;
      if (found === 'timeout') return SIGN_OF_LIFE;
      now = found;
    }
    const decisions = await readDecisions(deps, told, now);
    const before = told;
    told = { batch: now, decision: decisions.at(-1)?.id ?? now.last_decision };
    return writeEvents(before, told, now, decisions);
  }

  async function readNext(): Promise<string | null> {
    if (opened) return read();
    opened = true;
    // At once, so that the client knows that it is connected.
    return `retry: ${RETRY_MS}\n\n${isUpToDate(told, now) ? '' : await read()}`;
  }

  return new ReadableStream({
    async pull(controller) {
      try {
        const text = await readNext();
        if (text !== null) return controller.enqueue(encoder.encode(text));
        controller.close();
      } catch (error) {
        // A stream that failed is cancelled by nobody. The client comes back and goes on where it was.
        place.leave();
        throw error;
      }
      place.leave();
    },
    cancel() {
      place.leave();
    },
  });
}

/** Who comes anew is told what the batch is now, and what is decided from now on. */
function resume(first: WatchedBatch, lastEventId: string | null): Told {
  const id = /^([0-9a-f]+)\.(\d{1,15})$/.exec(lastEventId ?? '');
  if (id === null) return { batch: null, decision: first.last_decision };
  return { batch: id[1] === first.version ? first : null, decision: Number(id[2]) };
}

function isUpToDate(told: Told, now: WatchedBatch): boolean {
  return told.batch?.version === now.version && told.decision >= now.last_decision;
}

async function readDecisions({ db }: Deps, told: Told, now: WatchedBatch): Promise<readonly DecisionView[]> {
  if (told.decision >= now.last_decision) return [];
  const query = { batch_id: now.batch.id, type: null, order: 'oldest', after: told.decision } as const;
  return (await listDecisions(db, { ...query, limit: MAX_DECISIONS })).items;
}

type Event =
  | [name: 'decision', data: DecisionEvent]
  | [name: 'stage', data: StageEvent]
  | [name: 'batch', data: BatchEvent]
  | [name: 'end', data: EndEvent];

/**
 * What is new since `before`. Only the last of the events carries the id of what they lead to: who is cut off among
 * them gets all of them again.
 */
function writeEvents(
  before: Told,
  told: Told,
  now: WatchedBatch,
  decisions: readonly DecisionView[],
): string {
  const { batch, stages, version } = now;
  const events: Event[] = [];
  if (before.batch === null) events.push(['batch', { ...batch, stages: [...stages] }]);
  if (decisions.length > 0) events.push(['decision', { items: [...decisions] }]);
  if (before.batch !== null) {
    const known = new Map(before.batch.stages.map((stage) => [stage.key, JSON.stringify(stage)]));
    const items = stages.filter((stage) => known.get(stage.key) !== JSON.stringify(stage));
    if (items.length > 0) events.push(['stage', { items }]);
    if (JSON.stringify(batch) !== JSON.stringify(before.batch.batch)) events.push(['batch', batch]);
  }
  if (batch.finished_at !== null && isUpToDate(told, now)) events.push(['end', batch]);
  return events
    .map(([name, data], index) => {
      const id = index === events.length - 1 ? `id: ${version}.${told.decision}\n` : '';
      return `${id}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    })
    .join('');
}
