import type { Timers } from '../../control-plane/src/deps.ts';

export interface SimulatedTimers extends Timers {
  /** Runs what is due within so many ms, and waits until somebody sets a timer again, as a poller does. */
  advance(ms: number): Promise<void>;
}

/** Timers that run when a test says so. */
export function createSimulatedTimers(): SimulatedTimers {
  const pending = new Set<{ readonly run: () => void; readonly due: number }>();
  const listeners = new Set<() => void>();
  let now = 0;
  return {
    set(run, ms) {
      const timer = { run, due: now + ms };
      pending.add(timer);
      for (const listener of listeners) listener();
      listeners.clear();
      return () => void pending.delete(timer);
    },
    async advance(ms) {
      now += ms;
      const set = new Promise<void>((resolve) => void listeners.add(resolve));
      for (const timer of [...pending].filter(({ due }) => due <= now)) {
        pending.delete(timer);
        timer.run();
      }
      await set;
    },
  };
}
