import type { ClearTimer, Clock, Log, Timers } from '../../deps.ts';
import type { Database } from '../../store/database.ts';
import { readDemand } from '../../store/queries/read-demand.ts';
import { readWake } from '../../store/queries/read-wake.ts';
import { chooseWaiters } from '../choose-waiters.ts';
import type { Waiter, WaitingPlace, WaitResult, Wake } from '../wake.ts';

export interface SharedPollerOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly poll_ms: number;
}

/**
 * Look at the lanes although `wake` has not moved: retries become due by time alone, and a waiter that was woken
 * may have died before it took its task.
 */
const RECHECK_POLLS = 5;

interface Place extends Waiter {
  result: Exclude<WaitResult, 'timeout'> | null;
  settle: (() => void) | null;
  leave(result?: 'released'): void;
}

/** One reader of `brain.wake` for all long-polls of an instance, which wakes as many of them as there is work for. */
export function createSharedPoller(options: SharedPollerOptions): Wake {
  const { db, clock, timers, log, poll_ms } = options;
  /** By agent, in the order of arrival. */
  const places = new Map<string, Place>();
  let timer: ClearTimer | null = null;
  let lookingNow = false;
  let lookAgain = false;
  let closed = false;
  let seen: number | null = null;
  let idlePolls = 0;

  function end(place: Place, result: Exclude<WaitResult, 'timeout'>): void {
    if (place.result !== 'released') place.result = result;
    place.settle?.();
  }

  /** Those that wait and were not woken yet. */
  function waiting(): Place[] {
    return [...places.values()].filter((place) => place.result === null);
  }

  function lookAnew(): void {
    seen = null;
    if (places.size > 0) void look();
  }

  async function look(): Promise<void> {
    if (lookingNow) {
      lookAgain = true;
      return;
    }
    lookingNow = true;
    try {
      do {
        lookAgain = false;
        await wakeSome();
      } while (lookAgain && places.size > 0);
    } catch (error) {
      // The database is away: the waiters keep waiting, the next poll looks again.
      log({
        level: 'warn',
        message: 'Could not look for work for the waiting agents.',
        error: String(error),
      });
    } finally {
      lookingNow = false;
      schedule();
    }
  }

  async function wakeSome(): Promise<void> {
    const wake = await readWake(db);
    idlePolls += 1;
    if (wake === seen && idlePolls < RECHECK_POLLS) return;
    idlePolls = 0;
    const names = waiting().map((place) => place.agent);
    if (names.length > 0) {
      const demand = await readDemand(db, names, clock.now());
      const asked = new Set(names);
      const present = waiting().filter((place) => asked.has(place.agent));
      for (const place of chooseWaiters(present, demand)) end(place, 'woken');
    }
    // Noted last: when the read failed, or somebody came during it, the next poll looks at the lanes again.
    seen = wake;
  }

  function schedule(): void {
    if (timer !== null || closed || places.size === 0) return;
    timer = timers.set(() => {
      timer = null;
      void look();
    }, poll_ms);
  }

  return {
    enter(waiter, signal) {
      // The agent asks anew, so nobody hears the answer to its former question.
      places.get(waiter.agent)?.leave('released');
      const place: Place = { ...waiter, result: null, settle: null, leave };
      const onAbort = () => leave('released');
      function leave(result?: 'released'): void {
        signal.removeEventListener('abort', onAbort);
        if (places.get(place.agent) === place) places.delete(place.agent);
        const unused = place.result === 'woken';
        if (result !== undefined) end(place, result);
        // Woken, but it goes: the work that it was woken for is another's.
        if (unused) lookAnew();
      }
      places.set(place.agent, place);
      signal.addEventListener('abort', onAbort);
      if (signal.aborted || closed) leave('released');
      schedule();
      return { wait: (ms) => waitIn(place, ms, timers), leave: () => leave() };
    },
    notify() {
      if (places.size > 0) void look();
    },
    close() {
      closed = true;
      timer?.();
      timer = null;
      for (const place of [...places.values()]) place.leave('released');
    },
  };
}

function waitIn(place: Place, ms: number, timers: Timers): ReturnType<WaitingPlace['wait']> {
  return new Promise((resolve) => {
    let clear: ClearTimer = () => undefined;
    const finish = () => {
      clear();
      const result = place.result ?? 'timeout';
      place.settle = null;
      // Woken once is not woken for ever: the claim that follows may find that others were quicker.
      if (result === 'woken') place.result = null;
      resolve(result);
    };
    if (place.result !== null) return finish();
    place.settle = finish;
    clear = timers.set(finish, ms);
  });
}
