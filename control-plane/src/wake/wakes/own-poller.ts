import type { Timers } from '../../deps.ts';
import type { Database } from '../../store/database.ts';
import { readWake } from '../../store/queries/read-wake.ts';
import type { WaitResult, Wake } from '../wake.ts';

export interface OwnPollerOptions {
  readonly db: Database;
  readonly timers: Timers;
  readonly random: () => number;
  readonly poll_ms: number;
}

/** Woken although `wake` has not moved: retries and the leases of a dead agent become due by time alone. */
const RECHECK_POLLS = 5;

/**
 * Each long-poll reads `brain.wake` for itself. For Workers, where a request must not wait for the timers or the
 * I/O of another one: with a shared poller all would hang as soon as the request that owns it ends.
 */
export function createOwnPoller(options: OwnPollerOptions): Wake {
  const { db, timers, random, poll_ms } = options;
  return {
    enter(_waiter, signal) {
      const seenAtEntry = readWake(db);
      // Not awaited until the claim was made; a failure is told by the claim's own reads.
      seenAtEntry.catch(() => undefined);
      let seen: number | null = null;
      return {
        async wait(ms): Promise<WaitResult> {
          seen ??= await seenAtEntry;
          for (let left = ms, polls = 1; left > 0; polls++) {
            // Up to a quarter later, so that a thousand requests that wait for one task do not ask at once.
            const pause = Math.min(left, poll_ms * (1 + random() / 4));
            await new Promise<void>((resolve) => void timers.set(resolve, pause));
            left -= pause;
            if (signal.aborted) return 'released';
            const wake = await readWake(db);
            if (wake === seen && polls < RECHECK_POLLS) continue;
            seen = wake;
            return 'woken';
          }
          return 'timeout';
        },
        leave() {},
      };
    },
    notify() {},
    close() {},
  };
}
