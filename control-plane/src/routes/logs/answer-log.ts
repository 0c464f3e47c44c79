import type { Context } from 'hono';
import type { Deps } from '../../deps.ts';
import { readLog, type TaskKey } from '../../store/queries/read-log.ts';
import { endOf, gapLine, type LogPiece, readChunks, readEnded } from './read-pieces.ts';

/** What there is of an attempt's output, as text; gaps are shown. */
export function answerLog(
  c: Context,
  deps: Deps,
  request: TaskKey & { attempt: number; offset: number },
): Response {
  const headers = {
    // Output of a task: a browser must not take it for a page.
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  if (c.req.method === 'HEAD') return new Response(null, { headers });
  return new Response(streamPieces(readAll(deps, request)), { headers });
}

async function* readAll(
  deps: Deps,
  request: TaskKey & { attempt: number; offset: number },
): AsyncGenerator<LogPiece> {
  let { offset } = request;
  for (;;) {
    const log = await readLog(deps.db, { ...request, offset });
    if (log === null) return;
    const { ended, chunks } = log;
    if (ended !== null && (ended.outcome !== 'lost' || chunks.length === 0))
      return yield* readEnded(deps.artifacts, ended, offset);
    if (chunks.length === 0) return;
    for await (const piece of readChunks(chunks, offset)) {
      offset = endOf(piece);
      yield piece;
    }
  }
}

/** Pulled piece by piece, so that a slow reader holds up nothing but itself. */
function streamPieces(pieces: AsyncGenerator<LogPiece>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value.bytes ?? encoder.encode(gapLine(value.missing)));
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}
