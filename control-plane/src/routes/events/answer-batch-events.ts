import { ApiError } from '@planfleet/shared-types';
import type { Context } from 'hono';
import type { AppEnv } from '../../auth/require-scope.ts';
import type { Deps } from '../../deps.ts';
import { noBatch } from '../request/read-batch-id.ts';
import { eventStream } from './event-stream.ts';
import { finalEventId, streamBatchEvents } from './stream-batch-events.ts';

/** What the first look at a batch may take; a database that is away answers no sooner. */
const FIRST_LOOK_MS = 5_000;

/** The events of a batch from where the client has had them, or 204 to one that has had the end. */
export async function answerBatchEvents(c: Context<AppEnv>, deps: Deps, batchId: string): Promise<Response> {
  const place = deps.watch.enter(batchId);
  const first = await place.next(null, FIRST_LOOK_MS);
  if (typeof first === 'string') {
    place.leave();
    if (first === 'gone') return noBatch(batchId);
    throw new ApiError('busy', 'The batch could not be read in time.');
  }
  const last_event_id = c.req.header('last-event-id') ?? null;
  const had_end = first.batch.finished_at !== null && last_event_id === finalEventId(first);
  // Hono answers HEAD by dropping the body of GET; nobody would ever end the stream.
  if (had_end || c.req.method === 'HEAD') {
    place.leave();
    // 204, and nothing else, keeps an EventSource that has had the end from asking again.
    return had_end ? c.body(null, 204) : c.body(null, 200, eventStream);
  }
  const { isStillAllowed } = c.var;
  const stream = streamBatchEvents(deps, { place, first, last_event_id, isStillAllowed });
  return c.body(stream, 200, eventStream);
}
