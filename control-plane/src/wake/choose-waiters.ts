import type { Demand, Lane, WaitingAgent } from '../store/queries/read-demand.ts';
import type { Waiter } from './wake.ts';

/**
 * Whom to wake: everybody with a stop signal, and for each lane those who have waited longest and may take from
 * it, until their free slots cover its ready tasks. So a thousand waiting agents do not all come for one task.
 */
export function chooseWaiters<W extends Waiter>(waiters: readonly W[], demand: Demand): W[] {
  const agents = new Map(demand.agents.map((agent) => [agent.name, agent]));
  const chosen = new Set<W>();
  const free = new Map<W, number>();
  for (const waiter of waiters) {
    // An agent without a row, or whose row is another's by now, is told so by its next claim.
    const agent = agents.get(waiter.agent);
    if (agent?.has_stops !== false) chosen.add(waiter);
    if (agent !== undefined && !agent.is_draining && waiter.slots > agent.leased)
      free.set(waiter, waiter.slots - agent.leased);
  }
  const [first] = waiters;
  if (demand.expired && first !== undefined) chosen.add(first);
  for (const lane of demand.lanes) {
    if (free.size === 0) break;
    let left = lane.ready;
    for (const [waiter, slots] of free) {
      if (left === 0) break;
      const agent = agents.get(waiter.agent);
      if (agent === undefined || !mayTake(agent, lane)) continue;
      const takes = Math.min(left, slots);
      left -= takes;
      if (takes === slots) free.delete(waiter);
      else free.set(waiter, slots - takes);
      chosen.add(waiter);
    }
  }
  return [...chosen];
}

function mayTake(agent: WaitingAgent, lane: Lane): boolean {
  if (lane.storage !== null && lane.storage !== agent.storage) return false;
  return lane.labels.every((label) => agent.labels.includes(label));
}
