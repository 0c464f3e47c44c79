import type { BatchSnapshot } from '../store/queries/read-snapshot.ts';

/** A batch at one time. */
export interface WatchedBatch extends BatchSnapshot {
  /** The same for the same content, on every instance. */
  readonly version: string;
}
