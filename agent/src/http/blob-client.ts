import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import * as z from 'zod';
import type { Timers } from '../agent/agent-deps.ts';
import type { Answer } from './answer.ts';
import { classifyAnswer } from './classify-answer.ts';
import { LinkedAbort } from './linked-abort.ts';
import type { Transport } from './transport.ts';

/**
 * Without a byte for this long the connection is dead. It counts silence, not the whole transfer, since
 * files of 100 GB over slow lines are honest work.
 */
const SILENCE_MS = 60_000;

export interface BlobClient {
  /** Hands each piece of the content to `write`, in order. The caller verifies the digest. */
  downloadBlob(
    sha256: string,
    write: (piece: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<Answer<null>>;
  uploadBlob(sha256: string, file: string, size: number, signal: AbortSignal): Promise<Answer<unknown>>;
}

export interface BlobClientOptions {
  readonly base: string;
  readonly token: string;
  readonly transport: Transport;
  readonly timers: Timers;
}

export function createBlobClient(options: BlobClientOptions): BlobClient {
  const authorization = `Bearer ${options.token}`;
  return {
    async downloadBlob(sha256, write, signal) {
      const abort = new LinkedAbort(signal, options.timers, SILENCE_MS);
      try {
        const response = await options.transport(`${options.base}/v1/blobs/${sha256}`, {
          method: 'GET',
          headers: { authorization },
          signal: abort.signal,
        });
        if (!response.ok || response.body === null) {
          return classifyAnswer(
            {
              status: response.ok ? 599 : response.status,
              text: await response.text(),
              retry_after: response.headers.get('retry-after'),
            },
            z.null(),
          );
        }
        for await (const piece of readPieces(response.body)) {
          abort.touch();
          await write(piece);
        }
        return { kind: 'ok', body: null };
      } catch (error) {
        return classifyAnswer({ error: abort.signal.aborted ? abort.signal.reason : error }, z.null());
      } finally {
        abort.release();
      }
    },

    async uploadBlob(sha256, file, size, signal) {
      const abort = new LinkedAbort(signal, options.timers, SILENCE_MS);
      // Never more than was hashed: a file that grew meanwhile is refused by its digest, not by its length.
      const source = createReadStream(file, size === 0 ? {} : { end: size - 1 });
      source.on('data', () => abort.touch());
      // An error reaches the request through its body; without a listener it would end the process as well.
      source.on('error', () => undefined);
      try {
        const response = await options.transport(`${options.base}/v1/blobs/${sha256}`, {
          method: 'PUT',
          headers: {
            authorization,
            'content-type': 'application/octet-stream',
            'content-length': String(size),
          },
          body: toWebStream(source),
          duplex: 'half',
          signal: abort.signal,
        });
        const text = await response.text();
        return classifyAnswer(
          {
            status: response.status,
            text: text === '' ? 'null' : text,
            retry_after: response.headers.get('retry-after'),
          },
          z.unknown(),
        );
      } catch (error) {
        return classifyAnswer({ error: abort.signal.aborted ? abort.signal.reason : error }, z.unknown());
      } finally {
        abort.release();
        source.destroy();
      }
    },
  };
}

async function* readPieces(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Node types its web streams apart from the global ones, although they are the same. */
function toWebStream(source: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(source) as ReadableStream<Uint8Array>;
}
