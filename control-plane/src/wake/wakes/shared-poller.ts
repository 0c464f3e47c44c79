import type { ClearTimer, Clock, Log, Timers } from '../../deps.ts';
import { createPoll } from '../../poll.ts';
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

/** By agent, in the order of arrival. */
type Places = Map<string, Place>;

/** One reader of `brain.wake` for all long-polls of an instance, which wakes as many of them as there is work for. */
export function createSharedPoller(options: SharedPollerOptions): Wake {
  const { timers, log, poll_ms } = options;
  const places: Places = new Map();
  const lanes = createLaneReader(options, places);
  let closed = false;
  const poll = createPoll({
    timers,
    poll_ms,
    isWanted: () => !closed && places.size > 0,
    look: lanes.wakeSome,
    onFault: (error) =>
      log({
        level: 'warn',
        message: 'Could not look for work for the waiting agents.',
        error: String(error),
      }),
  });

  function lookNow(): void {
    if (places.size > 0) poll.look();
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
        if (!unused) return;
        // Woken, but it goes: the work that it was woken for is another's.
        lanes.forget();
        lookNow();
      }
      places.set(place.agent, place);
      signal.addEventListener('abort', onAbort);
      if (signal.aborted || closed) leave('released');
      poll.start();
      return { wait: (ms) => waitIn(place, ms, timers), leave: () => leave() };
    },
    notify: lookNow,
    close() {
      closed = true;
      poll.stop();
      for (const place of [...places.values()]) place.leave('released');
    },
  };
}

interface LaneReader {
  /** Wakes as many of those who wait as there is work for. */
  wakeSome(): Promise<void>;
  /** The next look reads the lanes, whether `wake` has moved or not. */
  forget(): void;
}

function createLaneReader({ db, clock }: SharedPollerOptions, places: Places): LaneReader {
  let seen: number | null = null;
  let idlePolls = 0;
  /** Those that wait and were not woken yet. */
  const waiting = () => [...places.values()].filter((place) => place.result === null);
  return {
    async wakeSome() {
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
    },
    forget() {
      seen = null;
    },
  };
}

function end(place: Place, result: Exclude<WaitResult, 'timeout'>): void {
  if (place.result !== 'released') place.result = result;
  place.settle?.();
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
