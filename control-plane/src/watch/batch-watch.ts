import type { Log, Timers } from '../deps.ts';
import type { Database } from '../store/database.ts';
import { createLookout, type Lookout } from './create-lookout.ts';
import type { WatchedBatch } from './watched-batch.ts';

/** The place of one who watches a batch. */
export interface WatchPlace {
  /**
   * The batch as soon as it is another than the one of the version `seen` (null: at once).
   * `timeout`: it was not within `ms`; `gone`: there is no such batch; `released`: the place was left, or the server closes.
   */
  next(seen: string | null, ms: number): Promise<WatchedBatch | 'timeout' | 'gone' | 'released'>;
  leave(): void;
}

/** What streams of events wait for. */
export interface BatchWatch {
  enter(batchId: string): WatchPlace;
  /** Those who watch now. */
  readonly size: number;
  /** Releases everybody: the server closes. */
  close(): void;
}

export interface BatchWatchOptions {
  readonly db: Database;
  readonly timers: Timers;
  readonly sha256: (data: Uint8Array) => Promise<string>;
  readonly log: Log;
  readonly poll_ms: number;
  /**
   * One look for all who watch the same batch. Not on Workers, where a request must not wait for the timers or the
   * I/O of another one.
   */
  readonly shared: boolean;
}

export function createBatchWatch(options: BatchWatchOptions): BatchWatch {
  const lookouts = new Set<Lookout>();
  const byBatch = new Map<string, Lookout>();
  let closed = false;

  function findLookout(batchId: string): Lookout {
    const known = options.shared ? byBatch.get(batchId) : undefined;
    if (known !== undefined) return known;
    const lookout: Lookout = createLookout(batchId, options, () => {
      lookouts.delete(lookout);
      if (byBatch.get(batchId) === lookout) byBatch.delete(batchId);
    });
    lookouts.add(lookout);
    if (options.shared) byBatch.set(batchId, lookout);
    return lookout;
  }

  return {
    enter(batchId) {
      const lookout = findLookout(batchId);
      const place = lookout.enter();
      if (closed) place.leave();
      return place;
    },
    get size() {
      return [...lookouts].reduce((sum, lookout) => sum + lookout.size, 0);
    },
    close() {
      closed = true;
      for (const lookout of [...lookouts]) lookout.close();
    },
  };
}
