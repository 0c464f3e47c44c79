import type { ArtifactStore } from '../../artifacts/artifact-store.ts';
import type { AttemptLog, StoredChunk } from '../../store/queries/read-log.ts';
import { unpackChunk } from './unpack-chunk.ts';

/** Output from `offset` on, or so many bytes of it that are not here. */
export type LogPiece =
  | { readonly offset: number; readonly bytes: Uint8Array; readonly missing?: never }
  | { readonly offset: number; readonly missing: number; readonly bytes?: never };

type Ended = NonNullable<AttemptLog['ended']>;
type LogFile = NonNullable<Ended['file']>;

/** Where the output that a piece stands for ends. */
export function endOf(piece: LogPiece): number {
  return piece.offset + (piece.bytes?.length ?? piece.missing ?? 0);
}

/** Live output at or after `offset`. */
export async function* readChunks(chunks: readonly StoredChunk[], offset: number): AsyncGenerator<LogPiece> {
  let at = offset;
  for (const chunk of chunks) {
    if (chunk.first > at) yield { offset: at, missing: chunk.first - at };
    const from = Math.max(at, chunk.first);
    const bytes = (await unpackChunk(chunk)).subarray(from - chunk.first);
    if (bytes.length > 0) yield { offset: from, bytes };
    at = chunk.first + chunk.size;
    if (from + bytes.length < at) yield { offset: from + bytes.length, missing: at - from - bytes.length };
  }
}

/** What is left of the output of an attempt that has ended, from `offset` on. */
export async function* readEnded(
  artifacts: ArtifactStore,
  { text, file }: Ended,
  offset: number,
): AsyncGenerator<LogPiece> {
  const artifact = file?.kept === 'blob' ? await artifacts.get(file.sha256) : null;
  if (file !== null && artifact !== null) {
    yield* readFile(artifact.stream, file, offset);
    return;
  }
  const tail = new TextEncoder().encode(text);
  // Of a log that did not come, the tail's place is known as far as all of its bytes were text.
  const start = file === null ? 0 : Math.max(0, file.size - tail.length);
  if (start > offset) yield { offset, missing: start - offset };
  const bytes = tail.subarray(Math.max(0, offset - start));
  if (bytes.length > 0) yield { offset: Math.max(offset, start), bytes };
}

/** A log file is the head of the output, a line in between where some is left out, and the tail. */
async function* readFile(
  stream: ReadableStream<Uint8Array>,
  file: LogFile,
  offset: number,
): AsyncGenerator<LogPiece> {
  const tailAt = file.stored - file.tail;
  const reader = stream.getReader();
  let at = 0;
  let shownGap = file.head + file.tail === file.size;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const head = value.subarray(0, Math.max(0, file.head - at));
      const tail = value.subarray(Math.max(0, tailAt - at));
      yield* cutBefore(at, head, offset);
      at += value.length;
      if (!shownGap && at >= file.head) {
        shownGap = true;
        const from = Math.max(offset, file.head);
        const missing = file.size - file.tail - from;
        if (missing > 0) yield { offset: from, missing };
      }
      if (file.tail > 0) yield* cutBefore(file.size - file.stored + at - tail.length, tail, offset);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function* cutBefore(at: number, bytes: Uint8Array, offset: number): Generator<LogPiece> {
  const rest = bytes.subarray(Math.max(0, offset - at));
  if (rest.length > 0) yield { offset: Math.max(at, offset), bytes: rest };
}

/** The line in place of what is missing, as in log files. */
export function gapLine(missing: number): string {
  return `\n[... ${missing} bytes missing ...]\n`;
}
