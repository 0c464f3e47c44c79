import { stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An attempt that may write below an output, from its start to its end by the clock of the file system. */
export interface Writer {
  readonly start: bigint;
  end: bigint | null;
  outcome: 'running' | 'succeeded' | 'failed';
}

/** What is to be done with a file: `publish`; `wait` for a writer that still runs; `leave` what only failures wrote. */
export type Judgement = 'publish' | 'wait' | 'leave';

/**
 * Who may have written what below one output. The kernel does not tell the writer of a file, but it tells
 * when it changed: a file belongs to those that ran at that moment. It is published when all of them have
 * ended and one of them well.
 */
export class OutputLedger {
  #writers = new Set<Writer>();
  /** The state in which a file was given to a report, or left behind by failed attempts. */
  readonly #settled = new Map<string, string>();
  /** Up to when the last listing could settle. */
  #listed: bigint | null = null;

  begin(start: bigint): Writer {
    const writer: Writer = { start, end: null, outcome: 'running' };
    this.#writers.add(writer);
    return writer;
  }

  end(writer: Writer, end: bigint, isSuccess: boolean): void {
    writer.end ??= end;
    writer.outcome = isSuccess ? 'succeeded' : 'failed';
  }

  get hasRunning(): boolean {
    return this.#oldestStart() !== null;
  }

  /** Whether a listing can find anything that the last one had to leave to a running writer. */
  get isWorthListing(): boolean {
    const oldest = this.#oldestStart();
    return oldest === null || this.#listed === null || oldest > this.#listed;
  }

  judge(changed: bigint): Judgement {
    let failed = false;
    let succeeded = false;
    for (const writer of this.#writers) {
      if (changed < writer.start || (writer.end !== null && changed > writer.end)) continue;
      if (writer.outcome === 'running') return 'wait';
      if (writer.outcome === 'failed') failed = true;
      else succeeded = true;
    }
    return failed && !succeeded ? 'leave' : 'publish';
  }

  /** Whether another attempt than this one may have written it. */
  isShared(changed: bigint, own: Writer): boolean {
    for (const writer of this.#writers) {
      if (writer !== own && changed >= writer.start && (writer.end === null || changed <= writer.end))
        return true;
    }
    return false;
  }

  isSettled(file: string, stamp: string): boolean {
    return this.#settled.get(file) === stamp;
  }

  settle(file: string, stamp: string): void {
    this.#settled.set(file, stamp);
  }

  /** The report did not count: whoever succeeds next brings the file. */
  unsettle(file: string): void {
    this.#settled.delete(file);
    this.#listed = null;
  }

  /** Call what comes back when every file has been judged: those that ended before are settled and forgotten. */
  startListing(): () => void {
    const oldest = this.#oldestStart();
    const done = [...this.#writers].filter(({ end }) => end !== null && (oldest === null || end < oldest));
    return () => {
      this.#listed = oldest;
      for (const writer of done) this.#writers.delete(writer);
    };
  }

  #oldestStart(): bigint | null {
    let oldest: bigint | null = null;
    for (const { outcome, start } of this.#writers) {
      if (outcome === 'running' && (oldest === null || start < oldest)) oldest = start;
    }
    return oldest;
  }
}

/**
 * Now, by the clock that stamps the files of a batch: on a network disk that is another machine's, and even
 * on a local one the stamps lag behind the wall clock by some milliseconds.
 */
export async function readFileClock(batchPath: string): Promise<bigint> {
  const probe = join(batchPath, 'logs', '.clock');
  const now = new Date();
  await utimes(probe, now, now).catch(() => writeFile(probe, ''));
  return (await stat(probe, { bigint: true })).ctimeNs;
}
