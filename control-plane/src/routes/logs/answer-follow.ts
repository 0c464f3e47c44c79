import type { LogEndEvent, LogEvent, LogGapEvent } from '@planfleet/shared-types';
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Deps } from '../../deps.ts';
import { eventStream, SIGN_OF_LIFE } from '../events/event-stream.ts';
import { TextCutter } from './cut-text.ts';
import { type FollowRequest, followLog, type LogNews } from './follow-log.ts';
import { endOf } from './read-pieces.ts';

/** A large piece is told in events that a reader can take in at once. */
const EVENT_BYTES = 65_536;

/** Server-sent events `log`, `gap` and `end`; the id of each is `ATTEMPT.OFFSET`, where the next one begins. */
export function answerFollow(c: Context, deps: Deps, request: FollowRequest): Response {
  const place = deps.logs.follow(request);
  const response = streamSSE(
    c,
    async (stream) => {
      stream.onAbort(() => place.leave());
      const teller = new Teller(deps, stream, request.offset);
      try {
        // At once, so that the reader knows that it is connected.
        await stream.write(': following\n\n');
        for await (const news of followLog(deps, request, place)) {
          if (stream.aborted) break;
          await teller.tell(news);
        }
      } finally {
        place.leave();
      }
    },
    async (error) =>
      deps.log({ level: 'warn', message: 'A follower of a log was let go.', error: String(error) }),
  );
  for (const [name, value] of Object.entries(eventStream)) response.headers.set(name, value);
  return response;
}

class Teller {
  readonly #deps: Deps;
  readonly #stream: SSEStreamingApi;
  readonly #cutter = new TextCutter();
  #spoke_at: number;
  #offset: number;

  constructor(deps: Deps, stream: SSEStreamingApi, offset: number) {
    this.#offset = offset;
    this.#deps = deps;
    this.#stream = stream;
    this.#spoke_at = deps.clock.now();
  }

  async tell(news: LogNews): Promise<void> {
    if (news.kind === 'quiet') return this.#beat();
    if (news.kind === 'end') {
      const { end } = news;
      if (end.attempt !== null) await this.#flush(end.attempt);
      await this.#send('end', end, this.#offset);
      return;
    }
    const { attempt, piece } = news;
    if (piece.bytes === undefined) {
      await this.#flush(attempt);
      this.#offset = endOf(piece);
      await this.#send('gap', { attempt, offset: piece.offset, missing: piece.missing }, this.#offset);
      return;
    }
    for (let from = 0; from < piece.bytes.length; from += EVENT_BYTES) {
      const bytes = piece.bytes.subarray(from, from + EVENT_BYTES);
      const offset = piece.offset + from - this.#cutter.held;
      const text = this.#cutter.push(bytes);
      this.#offset = piece.offset + from + bytes.length - this.#cutter.held;
      if (text !== '') await this.#send('log', { attempt, offset, text }, this.#offset);
    }
  }

  async #flush(attempt: number): Promise<void> {
    const { held } = this.#cutter;
    if (held === 0) return;
    const offset = this.#offset;
    this.#offset += held;
    await this.#send('log', { attempt, offset, text: this.#cutter.flush() }, this.#offset);
  }

  async #send(event: string, data: LogEvent | LogGapEvent | LogEndEvent, next: number): Promise<void> {
    this.#spoke_at = this.#deps.clock.now();
    await this.#stream.writeSSE({ event, data: JSON.stringify(data), id: `${data.attempt ?? 0}.${next}` });
  }

  async #beat(): Promise<void> {
    const now = this.#deps.clock.now();
    if (now - this.#spoke_at < this.#deps.settings.events_heartbeat_ms) return;
    this.#spoke_at = now;
    await this.#stream.write(SIGN_OF_LIFE);
  }
}
