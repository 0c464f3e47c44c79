import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type LogChunk, MAX_LOG_CHUNK_BYTES } from '@planfleet/shared-types';
import { findProgress } from '../exec/find-progress.ts';
import { backOffMs } from '../http/back-off.ts';
import type { AgentLife } from './agent-life.ts';
import type { FollowedLog } from './log-streamer.ts';
import { wait } from './wait.ts';

const pack = promisify(gzip);

/** Between two looks at what was printed: a quarter of a second behind is live for a reader. */
const LOOK_MS = 250;
/** Output of all attempts in one request, before compression. */
const MAX_REQUEST_BYTES = 1_000_000;
/** Behind by more than a chunk, a reader is served with what is printed now; what is in between is in the log file. */
const RESUME_BYTES = MAX_LOG_CHUNK_BYTES / 2;
/** Less than this does not get smaller. */
const MIN_PACKED_BYTES = 256;
/** In which the newest progress is looked for. */
const PROGRESS_BYTES = 4_096;

interface StreamState {
  /** No request before this, by the clock that never jumps. */
  due_at: number;
  failures: number;
  hasComplained: boolean;
  /** The request under way. */
  sending: Promise<void> | null;
}

interface Prepared {
  readonly followed: FollowedLog;
  readonly chunk: LogChunk;
}

/**
 * Sends what running attempts print, those of all in one request, one request at a time. It waits for nobody and
 * nobody waits for it: while a request is under way output only grows its file. Without output it sleeps.
 */
export async function runLogStream(life: AgentLife): Promise<void> {
  const { logs, signal } = life;
  const state: StreamState = { due_at: 0, failures: 0, hasComplained: false, sending: null };
  while (!signal.aborted) {
    if (!logs.isAwake && logs.unsent().length === 0) await logs.bell.wait(signal);
    await wait(life.deps.timers, LOOK_MS, signal);
    if (signal.aborted) break;
    await logs.look();
    if (state.sending !== null || life.deps.clock.monotonic() < state.due_at) continue;
    if (logs.unsent().length === 0) continue;
    state.sending = sendOnce(life, state).finally(() => {
      state.sending = null;
    });
  }
  await state.sending;
  logs.close();
}

async function sendOnce(life: AgentLife, state: StreamState): Promise<void> {
  const prepared = await prepareChunks(life);
  if (prepared.length === 0) return;
  const sentAt = life.deps.clock.monotonic();
  const chunks = prepared.map(({ chunk }) => chunk);
  const answer = await life.controlPlane.sendLogs({ session: life.session.session, chunks }, life.signal);
  if (life.signal.aborted || (answer.kind !== 'ok' && life.endsAgent(answer))) return;
  if (answer.kind === 'ok') {
    state.failures = 0;
    const refused = new Set(answer.body.refused);
    prepared.forEach(({ followed, chunk }, place) => {
      followed.unacknowledged = null;
      followed.refused = refused.has(place);
      followed.sent = chunk.offset + chunk.size;
    });
    // A look comes every 250 ms: half of one early is not a whole one late.
    state.due_at = sentAt + answer.body.pace_ms - LOOK_MS / 2;
    return;
  }
  if (answer.kind === 'final') {
    // Nothing is lost: the log is on this machine, and goes with the report.
    if (!state.hasComplained) {
      const message = `Live output is not wanted: ${answer.message}`;
      life.log({ level: 'warn', event: 'logs_refused', message });
    }
    state.hasComplained = true;
    for (const { followed } of prepared) followed.refused = true;
    return;
  }
  const retryAfter = answer.kind === 'retry' ? answer.retry_after_ms : null;
  state.due_at =
    life.deps.clock.monotonic() + backOffMs(state.failures, life.deps.randomness.fraction(), retryAfter);
  state.failures += 1;
}

/** In turns: who was sent longest ago comes first when there is more than fits. */
async function prepareChunks(life: AgentLife): Promise<Prepared[]> {
  const prepared: Prepared[] = [];
  let bytes = 0;
  for (const followed of life.logs.unsent()) {
    if (bytes >= MAX_REQUEST_BYTES || prepared.length >= 1_000) break;
    const chunk = followed.unacknowledged ?? (await prepareChunk(followed).catch(() => null));
    if (chunk === null) {
      followed.heldAt = followed.size;
      continue;
    }
    followed.unacknowledged = chunk;
    bytes += chunk.size;
    prepared.push({ followed, chunk });
  }
  for (const { followed } of prepared) life.logs.moveBack(followed);
  return prepared;
}

async function prepareChunk(followed: FollowedLog): Promise<LogChunk | null> {
  const { log, size } = followed;
  // How it began is shown in any case: what went wrong is often said there.
  const isBehind = followed.sent > 0 && size - followed.sent > MAX_LOG_CHUNK_BYTES;
  const from = log.skipHole(isBehind ? size - RESUME_BYTES : followed.sent);
  const slice = await log.read(from, MAX_LOG_CHUNK_BYTES, size, false);
  if (slice === null) return null;
  // Behind a gap a reader is shown whole lines, where there are any.
  const lineEnd = from > followed.sent ? slice.bytes.subarray(0, PROGRESS_BYTES).indexOf('\n') : -1;
  const bytes =
    lineEnd === -1 || lineEnd + 1 === slice.bytes.length ? slice.bytes : slice.bytes.subarray(lineEnd + 1);
  const newest = Buffer.concat([slice.before, slice.bytes]).subarray(-PROGRESS_BYTES);
  followed.progress = findProgress(newest.toString()) ?? followed.progress;
  const packed = bytes.length < MIN_PACKED_BYTES ? null : await pack(bytes, { level: 1 });
  const isSmaller = packed !== null && packed.length < bytes.length;
  const { stage, ordinal, lease, attempt } = log.task;
  return {
    stage,
    ordinal,
    lease,
    attempt,
    offset: slice.offset + slice.bytes.length - bytes.length,
    size: bytes.length,
    encoding: isSmaller ? 'gzip' : 'identity',
    data: (isSmaller ? packed : bytes).toString('base64'),
    progress: followed.progress?.fraction ?? null,
    progress_text: followed.progress?.text ?? null,
  };
}
