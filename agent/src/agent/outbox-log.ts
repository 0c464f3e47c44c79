import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { reportSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import type { AttemptResult } from '../exec/attempt-order.ts';
import { isCopy } from '../exec/pin-file.ts';
import { leaseText } from './lease-book.ts';

/** The disk behind the outbox. */
export interface OutboxLog {
  /** What earlier lives have left unacknowledged. */
  load(): Promise<AttemptResult[]>;
  /** Resolves when all of them would survive a loss of power. */
  append(results: readonly AttemptResult[]): Promise<void>;
  remove(results: readonly AttemptResult[]): Promise<void>;
  close(): Promise<void>;
}

/** A segment is deleted as a whole, so that a small one frees its space early; 4 MB are 60 reports at worst. */
const SEGMENT_BYTES = 4_000_000;

const resultSchema = z.object({
  report: reportSchema,
  chunk_files: z.array(z.object({ list: z.int(), file: z.string() })),
  uploads: z.array(
    z.object({
      file: z.string(),
      sha256: z.string(),
      size: z.int(),
      source: z.string(),
      path: z.string(),
      stamp: z.string(),
    }),
  ),
  log_upload: z
    .object({ file: z.string(), sha256: z.string(), size: z.int(), source: z.string() })
    .optional(),
});

interface Segment {
  readonly file: string;
  readonly handle: FileHandle;
  /** Results in it that are not acknowledged. */
  readonly live: Set<string>;
  bytes: number;
}

/**
 * Append-only segments of one JSON line per report. An acknowledged report is not struck out: when the
 * last one of a segment is acknowledged the whole segment goes. After a crash a report may thus be sent
 * twice, which the control plane answers with `lease_lost`; none is sent never.
 */
export async function openOutboxLog(folder: string): Promise<OutboxLog> {
  await mkdir(folder, { recursive: true });
  return new SegmentedLog(folder);
}

class SegmentedLog implements OutboxLog {
  readonly #folder: string;
  readonly #segmentOf = new Map<string, Segment>();
  #current: Segment | null = null;
  #next = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(): Promise<AttemptResult[]> {
    const results = new Map<string, AttemptResult>();
    const segments: Segment[] = [];
    for (const name of (await readdir(this.#folder)).filter((entry) => entry.endsWith('.jsonl')).sort()) {
      const file = join(this.#folder, name);
      this.#next = Math.max(this.#next, Number(basename(name, '.jsonl')) + 1);
      const handle = await open(file, 'a', 0o600);
      const segment: Segment = { file, handle, live: new Set(), bytes: SEGMENT_BYTES };
      for (const line of (await readFile(file, 'utf8')).split('\n')) {
        const result = readLine(line);
        if (result === null) continue;
        const key = leaseText(result.report);
        results.set(key, result);
        this.#segmentOf.get(key)?.live.delete(key);
        this.#segmentOf.set(key, segment);
        segment.live.add(key);
      }
      segments.push(segment);
    }
    for (const segment of segments) await this.#dropIfDone(segment);
    await removeStrays(this.#folder, [...results.values()]);
    return [...results.values()];
  }

  async append(results: readonly AttemptResult[]): Promise<void> {
    const full = this.#current !== null && this.#current.bytes >= SEGMENT_BYTES;
    const before = this.#current;
    const segment = this.#current === null || full ? await this.#openSegment() : this.#current;
    this.#current = segment;
    if (full && before !== null) await this.#dropIfDone(before);
    const text = results.map((result) => `${JSON.stringify({ ...result, held: undefined })}\n`).join('');
    const corrected: [Segment, string][] = [];
    // Marked before the write, so that no acknowledgement of another report empties the file under it.
    for (const result of results) {
      const key = leaseText(result.report);
      const earlier = this.#segmentOf.get(key);
      if (earlier !== undefined && earlier !== segment) corrected.push([earlier, key]);
      segment.live.add(key);
      this.#segmentOf.set(key, segment);
    }
    // A leading line end, so that a line cut short by a full disk does not swallow this one.
    await segment.handle.appendFile(`\n${text}`);
    await segment.handle.datasync();
    segment.bytes += text.length;
    // The later line counts, and only now is it safe.
    for (const [earlier, key] of corrected) if (earlier.live.delete(key)) await this.#dropIfDone(earlier);
  }

  async remove(results: readonly AttemptResult[]): Promise<void> {
    const touched = new Set<Segment>();
    for (const result of results) {
      const key = leaseText(result.report);
      const segment = this.#segmentOf.get(key);
      this.#segmentOf.delete(key);
      if (segment?.live.delete(key)) touched.add(segment);
      for (const file of ownFiles(result)) await rm(file, { force: true });
    }
    for (const segment of touched) await this.#dropIfDone(segment);
  }

  async close(): Promise<void> {
    const segments = new Set(this.#segmentOf.values());
    if (this.#current !== null) segments.add(this.#current);
    for (const segment of segments) await segment.handle.close();
  }

  async #openSegment(): Promise<Segment> {
    const file = join(this.#folder, `${String(this.#next++).padStart(10, '0')}.jsonl`);
    const handle = await open(file, 'ax', 0o600);
    await syncFolder(this.#folder);
    return { file, handle, live: new Set(), bytes: 0 };
  }

  async #dropIfDone(segment: Segment): Promise<void> {
    if (segment.live.size > 0) return;
    if (segment === this.#current) {
      // Emptied in place: under load the outbox runs empty between any two reports.
      segment.bytes = 0;
      await segment.handle.truncate(0);
      return;
    }
    await segment.handle.close();
    await rm(segment.file, { force: true });
  }
}

/** Folder of the chunk files that reports refer to. */
export function chunkFolder(outbox: string): string {
  return join(outbox, 'lists');
}

/** Folder of the copies of outputs that reports refer to. */
export function copyFolder(outbox: string): string {
  return join(outbox, 'files');
}

/** Files that are there for this report alone, and go with it. */
function ownFiles({ chunk_files, uploads }: AttemptResult): string[] {
  return [...chunk_files, ...uploads.filter(isCopy)].map(({ file }) => file);
}

/** Chunk files and copies of attempts that died before their report. */
async function removeStrays(folder: string, results: readonly AttemptResult[]): Promise<void> {
  const logs = results.flatMap(({ log_upload }) => (log_upload === undefined ? [] : [log_upload.file]));
  const wanted = new Set([...results.flatMap(ownFiles), ...logs]);
  for (const place of [chunkFolder(folder), copyFolder(folder)]) {
    await mkdir(place, { recursive: true });
    for (const name of await readdir(place)) {
      const file = join(place, name);
      if (!wanted.has(file)) await rm(file, { force: true });
    }
  }
}

/** A line cut short by a crash was never posted and never promised: the lease brings its task again. */
function readLine(line: string): AttemptResult | null {
  if (line === '') return null;
  try {
    return resultSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** Makes the name of a new file as durable as its content will be. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
