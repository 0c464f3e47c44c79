import type { BatchView } from '@planfleet/shared-types';
import { EXIT } from './cli-error.ts';
import { type WatchOptions, watchBatch } from './watch-batch.ts';

/** Watches until the batch has ended, or until Ctrl-C: null. */
export async function watchInterruptible(options: Omit<WatchOptions, 'signal'>): Promise<BatchView | null> {
  return untilInterrupted((signal) => watchBatch({ ...options, signal }));
}

/**
 * The signal fires at Ctrl-C, which ends the watching and nothing else. A second Ctrl-C ends the process;
 * afterwards it means again what it always does.
 */
export async function untilInterrupted<T>(watch: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  };
  // Not `once`: what gives the cursor back at the end takes a signal without a listener for the end.
  process.on('SIGINT', interrupt);
  try {
    return await watch(stop.signal);
  } finally {
    process.off('SIGINT', interrupt);
  }
}
