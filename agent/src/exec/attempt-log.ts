import { execFile } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type LeasedTask, MAX_TAIL_BYTES } from '@planfleet/shared-types';
import { decodeTail } from './decode-tail.ts';
import type { SecretMask } from './secret-mask.ts';

const run = promisify(execFile);

/** File systems give back whole blocks only. */
const BLOCK_BYTES = 4_096;

/** A piece of a log as it may leave the machine. */
export interface LogSlice {
  /** Bytes of output before it. */
  readonly offset: number;
  readonly bytes: Buffer;
  /** What comes before it in the file, without secrets too, as far as it was read. */
  readonly before: Buffer;
}

/**
 * The log file of an attempt while its processes write it. They write straight into the file, so that neither a
 * full pipe nor the death of the agent ever stops them. What is beyond the cap is given back to the disk in the
 * middle of the file: it stays as long as it was, with a hole, and all offsets stay true.
 */
export class AttemptLog {
  readonly task: LeasedTask;
  readonly file: string;
  readonly mask: SecretMask;
  /** Bytes of it that may take up disk, half of them from its start. */
  readonly #cap: number;
  /** End of the hole; 0: there is none. */
  #holeEnd = 0;
  #canPunch = true;
  readonly #onTooLarge: (reason: string) => void;

  constructor(options: {
    task: LeasedTask;
    file: string;
    mask: SecretMask;
    cap: number;
    onTooLarge(reason: string): void;
  }) {
    this.task = options.task;
    this.file = options.file;
    this.mask = options.mask;
    this.#cap = Math.max(options.cap, 16 * BLOCK_BYTES);
    this.#onTooLarge = options.onTooLarge;
  }

  async size(): Promise<number> {
    return (await stat(this.file).catch(() => null))?.size ?? 0;
  }

  /** Bytes at the start that are kept whatever comes. */
  get headBytes(): number {
    const half = Math.floor(this.#cap / 2);
    return half - (half % BLOCK_BYTES);
  }

  /** `offset`, or where the output goes on when that lies in the hole: as much more is lost as may be the rest of a secret. */
  skipHole(offset: number): number {
    if (this.#holeEnd === 0 || offset < this.headBytes) return offset;
    return Math.max(offset, this.#holeEnd + this.mask.context);
  }

  /** Where what is kept of a log of this size goes on behind what is left out; null: all of it is kept. */
  tailStart(size: number): number | null {
    if (this.#holeEnd === 0 && size <= this.#cap) return null;
    return this.skipHole(Math.max(this.headBytes, size - this.headBytes));
  }

  /** Gives the middle back to the disk, whenever it has grown by a quarter of the cap. */
  async keepWithinCap(size: number): Promise<void> {
    const from = Math.max(this.headBytes, this.#holeEnd);
    const end = size - this.headBytes;
    const to = end - (end % BLOCK_BYTES);
    if (!this.#canPunch || to - from < this.#cap / 4) return;
    // Before it is done: nobody must read what is about to become zeros.
    const before = this.#holeEnd;
    this.#holeEnd = to;
    try {
      await run('fallocate', ['--punch-hole', '--offset', `${from}`, '--length', `${to - from}`, this.file]);
    } catch (error) {
      this.#canPunch = false;
      this.#holeEnd = before;
      this.#onTooLarge(error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * Reads from `offset`, at most `length` bytes and none beyond `size`. `isWhole`: no more will come. Null when
   * there is nothing that can be shown yet, or what was to be read has become part of the hole.
   */
  async read(offset: number, length: number, size: number, isWhole: boolean): Promise<LogSlice | null> {
    const isHead = offset < this.headBytes;
    const end = Math.min(size, offset + length, isHead && this.#holeEnd > 0 ? this.headBytes : size);
    if (this.skipHole(offset) > offset || end <= offset) return null;
    const start = Math.max(isHead ? 0 : this.#holeEnd, offset - Math.max(this.mask.context, BLOCK_BYTES));
    const buffer = await this.#readBytes(start, end);
    if (this.#holeEnd > start && !isHead) return null;
    if (isHead && this.#holeEnd > 0 && end > this.headBytes) return null;
    const isLast = isWhole && start + buffer.length >= size;
    const shown = buffer.length - (isLast ? 0 : this.mask.openEnd(buffer));
    this.mask.apply(buffer);
    const from = offset - start;
    return shown <= from
      ? null
      : { offset, bytes: buffer.subarray(from, shown), before: buffer.subarray(0, from) };
  }

  /** The end of it, as text. */
  async tail(): Promise<string> {
    const size = await this.size();
    const from = this.skipHole(Math.max(0, size - MAX_TAIL_BYTES));
    const slice = await this.read(from, MAX_TAIL_BYTES, size, true);
    return slice === null ? '' : decodeTail(slice.bytes, from > 0);
  }

  async #readBytes(start: number, end: number): Promise<Buffer> {
    const handle = await open(this.file, 'r');
    try {
      const buffer = Buffer.alloc(end - start);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }
}
