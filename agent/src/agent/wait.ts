import type { Timers } from './agent-deps.ts';

/** Resolves after `ms`, or at once when the signal fires. */
export function wait(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = timers.set(finish, ms);
    signal.addEventListener('abort', finish, { once: true });
  });
}
