import { createHash } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { LogReport } from '@planfleet/shared-types';
import type { AttemptLog } from './attempt-log.ts';

const PIECE_BYTES = 1_000_000;

/** Content of a log to be uploaded. */
export interface LogUpload {
  /** The log itself, or a copy without secrets and without what was left out. */
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  /** The log itself. */
  readonly source: string;
}

export interface FinishedLog {
  readonly tail: string;
  /** Undefined: the attempt has written nothing. */
  readonly log?: LogReport;
  readonly upload?: LogUpload;
}

const EMPTY_SHA256 = createHash('sha256').digest('hex');

/**
 * What is told of a log once its processes have ended. One that is in the tail wholly needs no upload: most
 * tasks print little, and 10,000 of them must not make 10,000 blobs.
 */
export async function finishLog(log: AttemptLog, name: string, copy: string): Promise<FinishedLog> {
  const size = await log.size();
  if (size === 0) return { tail: '' };
  const tail = await log.tail().catch(() => '');
  const bytes = Buffer.from(tail);
  if (bytes.length === size) {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { tail, log: { name, size, head: size, tail: 0, stored: size, sha256, kept: 'tail' } };
  }
  try {
    return { tail, ...(await prepareUpload(log, name, size, copy)) };
  } catch {
    // A full disk, or a task that has removed its own log: the tail is what there is.
    await rm(copy, { force: true }).catch(() => undefined);
    return { tail, log: { name, size, head: 0, tail: 0, stored: 0, sha256: EMPTY_SHA256, kept: 'machine' } };
  }
}

async function prepareUpload(
  log: AttemptLog,
  name: string,
  size: number,
  copy: string,
): Promise<Required<Pick<FinishedLog, 'log' | 'upload'>>> {
  const tailStart = log.tailStart(size);
  const isPlain = tailStart === null && log.mask.isEmpty;
  const sink = new HashedFile(isPlain ? null : copy);
  let head: number;
  let tail = 0;
  try {
    if (tailStart === null) head = await copyRange(log, 0, size, size, sink);
    else {
      head = await copyRange(log, 0, log.headBytes, size, sink);
      await sink.write(Buffer.from(`\n[... ${tailStart - head} bytes missing ...]\n`));
      tail = await copyRange(log, tailStart, size, size, sink);
    }
  } finally {
    await sink.close();
  }
  const { sha256, stored } = sink;
  return {
    log: { name, size, head, tail, stored, sha256, kept: 'blob' },
    upload: { file: isPlain ? log.file : copy, sha256, size: stored, source: log.file },
  };
}

/** Copies what may leave the machine; says how many bytes. */
async function copyRange(
  log: AttemptLog,
  from: number,
  to: number,
  size: number,
  sink: HashedFile,
): Promise<number> {
  let at = from;
  while (at < to) {
    // Read as far as the log goes where it ends, so that its last bytes are not taken for an open secret.
    const slice = await log.read(at, Math.min(PIECE_BYTES, to - at), size, to === size);
    if (slice === null) break;
    await sink.write(slice.bytes);
    at += slice.bytes.length;
  }
  return at - from;
}

/** Hashes what is written, and writes it to a file where there is one. */
class HashedFile {
  readonly #file: string | null;
  readonly #hash = createHash('sha256');
  #handle: Awaited<ReturnType<typeof open>> | null = null;
  #sha256 = '';
  stored = 0;

  constructor(file: string | null) {
    this.#file = file;
  }

  get sha256(): string {
    return this.#sha256;
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#file !== null && this.#handle === null) {
      await mkdir(dirname(this.#file), { recursive: true });
      this.#handle = await open(this.#file, 'w', 0o600);
    }
    this.#hash.update(bytes);
    this.stored += bytes.length;
    await this.#handle?.appendFile(bytes);
  }

  async close(): Promise<void> {
    this.#sha256 = this.#hash.digest('hex');
    await this.#handle?.close();
  }
}
