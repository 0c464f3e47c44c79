import type { ClaimAnswer, ClaimRequest } from '@planfleet/shared-types';
import type { Deps } from '../deps.ts';
import { lookForWork } from '../store/queries/look-for-work.ts';
import { claimTasks } from '../store/transitions/claim-tasks.ts';

const NOTHING: ClaimAnswer = { leases: [], stages: [], stops: [] };

export interface HeldClaim {
  readonly agent: string;
  readonly request: ClaimRequest;
  readonly wait_ms: number;
  readonly signal: AbortSignal;
}

/**
 * A claim, answered at once when there is something, else held until there is or the time is over. Between two
 * claims it only reads, and once the agent has gone nothing is claimed for it: its lease would find nobody.
 */
export async function holdClaim(deps: Deps, held: HeldClaim): ReturnType<typeof claimTasks> {
  const { db, clock, settings, wake } = deps;
  const { agent, request, signal } = held;
  const { session, slots, have } = request;
  const since = clock.now();
  const until = since + held.wait_ms;
  const claim = () => {
    const { lease_ms, tick_ms } = settings;
    return claimTasks(db, { agent, request, now: clock.now(), lease_ms, tick_ms });
  };
  if (held.wait_ms === 0) return claim();

  const place = wake.enter({ agent, slots }, signal);
  try {
    for (;;) {
      const waited_ms = Math.max(0, clock.now() - since);
      const result = await claim();
      if (!result.ok) return result;
      if (isSomething(result.answer)) return { ok: true, answer: { ...result.answer, waited_ms } };
      do {
        const left = until - clock.now();
        if (left <= 0 || (await place.wait(left)) !== 'woken') return { ok: true, answer: NOTHING };
      } while (!(await lookForWork(db, { agent, session, slots, have, now: clock.now() })));
      if (signal.aborted) return { ok: true, answer: NOTHING };
    }
  } finally {
    place.leave();
  }
}

function isSomething(answer: ClaimAnswer): boolean {
  return answer.leases.length > 0 || answer.stops.length > 0;
}
