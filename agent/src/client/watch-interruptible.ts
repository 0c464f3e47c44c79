import type { BatchView } from '@planfleet/shared-types';
import { type WatchOptions, watchBatch } from './watch-batch.ts';

/**
 * Watches until the batch has ended, or until Ctrl-C (null), which ends the watching and nothing else.
 * Afterwards, and so at the second time, Ctrl-C means again what it always does.
 */
export async function watchInterruptible(options: Omit<WatchOptions, 'signal'>): Promise<BatchView | null> {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt);
  try {
    return await watchBatch({ ...options, signal: stop.signal });
  } finally {
    process.off('SIGINT', interrupt);
  }
}
