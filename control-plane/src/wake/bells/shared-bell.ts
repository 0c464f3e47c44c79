import type { ClearTimer, Timers } from '../../deps.ts';
import type { FollowedTask, LogBell, LogPlace } from '../log-bell.ts';

interface Place extends LogPlace {
  ring(): void;
}

/** One bell for all followers of an instance. */
export function createSharedBell(timers: Timers): LogBell {
  const places = new Map<string, Set<Place>>();
  let open = true;

  function follow(task: FollowedTask): LogPlace {
    const key = keyOf(task);
    const place = createPlace(timers, () => open, leave);
    const others = places.get(key);
    if (others === undefined) places.set(key, new Set([place]));
    else others.add(place);
    function leave(): void {
      const present = places.get(key);
      present?.delete(place);
      if (present?.size === 0) places.delete(key);
    }
    return place;
  }

  return {
    follow,
    ring(task) {
      for (const place of places.get(keyOf(task)) ?? []) place.ring();
    },
    isFollowed: (task) => places.has(keyOf(task)),
    close() {
      open = false;
      for (const place of [...places.values()].flatMap((each) => [...each])) place.ring();
    },
  };
}

function keyOf({ stage, ordinal }: FollowedTask): string {
  return `${stage}:${ordinal}`;
}

function createPlace(timers: Timers, isOpen: () => boolean, onLeave: () => void): Place {
  let rung = false;
  let settle: (() => void) | null = null;
  const ring = () => {
    rung = true;
    settle?.();
  };
  return {
    get isOpen() {
      return isOpen();
    },
    ring,
    wait(ms) {
      return new Promise((resolve) => {
        let clear: ClearTimer = () => undefined;
        settle = () => {
          clear();
          settle = null;
          rung = false;
          resolve();
        };
        // Rung while the follower was reading: it looks again at once.
        if (rung || !isOpen()) settle();
        else clear = timers.set(() => settle?.(), ms);
      });
    },
    leave() {
      onLeave();
      ring();
    },
  };
}
