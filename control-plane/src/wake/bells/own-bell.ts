import type { Timers } from '../../deps.ts';
import type { LogBell } from '../log-bell.ts';

/** Each follower waits by its own timer. For Workers, where no request may wake another one. */
export function createOwnBell(timers: Timers): LogBell {
  return {
    follow: () => ({
      wait: (ms) => new Promise((resolve) => void timers.set(resolve, ms)),
      isOpen: true,
      leave() {},
    }),
    ring() {},
    isFollowed: () => false,
    close() {},
  };
}
