import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import * as z from 'zod';
import type { Timers } from '../agent/agent-deps.ts';
import type { Answer } from './answer.ts';
import { classifyAnswer, type RawAnswer } from './classify-answer.ts';
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
  return {
    downloadBlob: (sha256, write, signal) =>
      withAbort(options, signal, z.null(), (abort) => download(options, sha256, write, abort)),
    uploadBlob: (sha256, file, size, signal) =>
      withAbort(options, signal, z.unknown(), (abort) => upload(options, { sha256, file, size }, abort)),
  };
}

/** One transfer that ends when `signal` fires, or when nothing has moved for a while. */
async function withAbort<T>(
  options: BlobClientOptions,
  signal: AbortSignal,
  schema: z.ZodType<T>,
  transfer: (abort: LinkedAbort) => Promise<RawAnswer>,
): Promise<Answer<T>> {
  const abort = new LinkedAbort(signal, options.timers, SILENCE_MS);
  try {
    return classifyAnswer(await transfer(abort), schema);
  } catch (error) {
    return classifyAnswer({ error: abort.signal.aborted ? abort.signal.reason : error }, schema);
  } finally {
    abort.release();
  }
}

async function download(
  options: BlobClientOptions,
  sha256: string,
  write: (piece: Uint8Array) => Promise<void>,
  abort: LinkedAbort,
): Promise<RawAnswer> {
  const response = await options.transport(`${options.base}/v1/blobs/${sha256}`, {
    method: 'GET',
    headers: { authorization: `Bearer ${options.token}` },
    signal: abort.signal,
  });
  if (!response.ok || response.body === null) {
    return {
      status: response.ok ? 599 : response.status,
      text: await response.text(),
      retry_after: response.headers.get('retry-after'),
    };
  }
  for await (const piece of readPieces(response.body)) {
    abort.touch();
    await write(piece);
  }
  return { status: response.status, text: 'null', retry_after: null };
}

async function upload(
  options: BlobClientOptions,
  content: { sha256: string; file: string; size: number },
  abort: LinkedAbort,
): Promise<RawAnswer> {
  const { sha256, file, size } = content;
  // Never more than was hashed: a file that grew meanwhile is refused by its digest, not by its length.
  const source = createReadStream(file, size === 0 ? {} : { end: size - 1 });
  source.on('data', () => abort.touch());
  // An error reaches the request through its body; without a listener it would end the process as well.
  source.on('error', () => undefined);
  try {
    const response = await options.transport(`${options.base}/v1/blobs/${sha256}`, {
      method: 'PUT',
      headers: {
        authorization: `Bearer ${options.token}`,
        'content-type': 'application/octet-stream',
        'content-length': String(size),
      },
      body: toWebStream(source),
      duplex: 'half',
      signal: abort.signal,
    });
    const text = await response.text();
    return {
      status: response.status,
      text: text === '' ? 'null' : text,
      retry_after: response.headers.get('retry-after'),
    };
  } finally {
    source.destroy();
  }
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
