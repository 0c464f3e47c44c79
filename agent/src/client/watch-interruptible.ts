import type { BatchView } from '@planfleet/shared-types';
import { EXIT } from './cli-error.ts';
import { type WatchOptions, watchBatch } from './watch-batch.ts';

/**
 * Watches until the batch has ended, or until Ctrl-C (null), which ends the watching and nothing else. A
 * second Ctrl-C ends the process; afterwards it means again what it always does.
 */
export async function watchInterruptible(options: Omit<WatchOptions, 'signal'>): Promise<BatchView | null> {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  // Not `once`: what gives the cursor back at the end takes a signal without a listener for the end.
  process.on('SIGINT', interrupt);
  try {
    return await watchBatch({ ...options, signal: stop.signal });
  } finally {
    process.off('SIGINT', interrupt);
  }
}
