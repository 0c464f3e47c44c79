import type { Wake } from '../../control-plane/src/wake/wake.ts';

/** Tells when the claim of an agent has found nothing and waits. */
export function watchWaiting(wake: Wake): { untilWaiting(agent: string, times?: number): Promise<void> } {
  const waits = new Map<string, number>();
  const listeners = new Set<() => void>();
  const enter = wake.enter.bind(wake);
  wake.enter = (waiter, signal) => {
    const place = enter(waiter, signal);
    return {
      leave: () => place.leave(),
      wait(ms) {
        const result = place.wait(ms);
        waits.set(waiter.agent, (waits.get(waiter.agent) ?? 0) + 1);
        for (const listener of listeners) listener();
        return result;
      },
    };
  };
  return {
    untilWaiting: (agent, times = 1) =>
      new Promise((resolve) => {
        const look = () => {
          if ((waits.get(agent) ?? 0) < times) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
  };
}
