import type { Timers } from '../deps.ts';
import { createPoll } from '../poll.ts';
import { readSnapshot } from '../store/queries/read-snapshot.ts';
import type { BatchWatchOptions, WatchPlace } from './batch-watch.ts';
import type { WatchedBatch } from './watched-batch.ts';

type Told = Awaited<ReturnType<WatchPlace['next']>>;

interface Place {
  waiting: { readonly seen: string | null; settle(told: Told): void } | null;
}

export interface Lookout {
  enter(): WatchPlace;
  readonly size: number;
  close(): void;
}

/** Hex digits: long enough that two versions of a batch never share it. */
const VERSION_LENGTH = 16;

/** Looks at one batch again and again as long as somebody is there, and tells those who have not seen what it is. */
export function createLookout(batchId: string, options: BatchWatchOptions, onEmpty: () => void): Lookout {
  const { db, timers, sha256, log, poll_ms } = options;
  const places = new Set<Place>();
  let found: WatchedBatch | 'gone' | null = null;
  let text = '';

  async function look(): Promise<void> {
    const snapshot = await readSnapshot(db, batchId);
    const read = JSON.stringify(snapshot);
    if (snapshot === null) found = 'gone';
    else if (read !== text) {
      const digest = await sha256(new TextEncoder().encode(read));
      found = { ...snapshot, version: digest.slice(0, VERSION_LENGTH) };
    }
    text = read;
    for (const place of [...places]) tell(place, found);
  }

  const poll = createPoll({
    timers,
    poll_ms,
    isWanted: () => places.size > 0,
    look,
    onFault: (error) =>
      log({
        level: 'warn',
        message: 'Could not look at a watched batch.',
        batch_id: batchId,
        error: String(error),
      }),
  });

  function leave(place: Place): void {
    if (!places.delete(place)) return;
    place.waiting?.settle('released');
    if (places.size > 0) return;
    poll.stop();
    onEmpty();
  }

  return {
    enter() {
      const place: Place = { waiting: null };
      places.add(place);
      // Those who were here before look at their pace.
      if (places.size === 1) poll.look();
      return {
        next(seen, ms) {
          if (!places.has(place)) return Promise.resolve('released');
          const told = waitIn(place, seen, ms, timers);
          // What the last look found is at most one poll old.
          tell(place, found);
          return told;
        },
        leave: () => leave(place),
      };
    },
    get size() {
      return places.size;
    },
    close() {
      for (const place of [...places]) leave(place);
    },
  };
}

function waitIn(place: Place, seen: string | null, ms: number, timers: Timers): Promise<Told> {
  return new Promise((resolve) => {
    const clear = timers.set(() => place.waiting?.settle('timeout'), ms);
    place.waiting = {
      seen,
      settle(told) {
        clear();
        place.waiting = null;
        resolve(told);
      },
    };
  });
}

function tell(place: Place, found: WatchedBatch | 'gone' | null): void {
  if (place.waiting === null || found === null) return;
  if (found !== 'gone' && found.version === place.waiting.seen) return;
  place.waiting.settle(found);
}
