import type { ClearTimer, Timers } from './deps.ts';

/** Looks at the database again and again on behalf of all who wait for the same. */
export interface Poll {
  /** Looks at once; while a look is under way, again after it. */
  look(): void;
  /** Looks within `poll_ms`, unless nobody waits. */
  start(): void;
  stop(): void;
}

export interface PollOptions {
  readonly timers: Timers;
  readonly poll_ms: number;
  /** Is somebody there to look for? */
  readonly isWanted: () => boolean;
  readonly look: () => Promise<void>;
  /** The database is away: those who wait go on waiting, and the next look tries again. */
  readonly onFault: (error: unknown) => void;
}

/** A poll that never looks twice at once, and rests while nobody waits. */
export function createPoll({ timers, poll_ms, isWanted, look, onFault }: PollOptions): Poll {
  let timer: ClearTimer | null = null;
  let looking = false;
  let again = false;

  async function lookNow(): Promise<void> {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    try {
      do {
        again = false;
        await look();
      } while (again && isWanted());
    } catch (error) {
      onFault(error);
    } finally {
      looking = false;
      start();
    }
  }

  function start(): void {
    if (timer !== null || looking || !isWanted()) return;
    timer = timers.set(() => {
      timer = null;
      void lookNow();
    }, poll_ms);
  }

  return {
    look: () => void lookNow(),
    start,
    stop() {
      timer?.();
      timer = null;
    },
  };
}
