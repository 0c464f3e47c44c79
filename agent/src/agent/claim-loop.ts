import { backOffMs } from '../http/back-off.ts';
import type { AgentLife } from './agent-life.ts';
import { wait } from './wait.ts';

/** An empty answer that comes sooner did not wait for work: something between us cuts polls short. */
const QUICK_MS = 100;
/** Keeps a busy agent from claiming after every single result; nobody waits for these 20 ms. */
const KNOWN_PAUSE_MS = 20;

/**
 * Keeps one claim outstanding, always: work arrives within milliseconds, and so do stops while every
 * slot is taken or the agent is draining (then it claims 0 slots).
 */
export async function runClaimLoop(life: AgentLife): Promise<void> {
  let failures = 0;
  let quick = 0;
  while (!life.signal.aborted) {
    const sentAt = life.deps.clock.monotonic();
    const answer = await claimOnce(life);
    if (answer === 'changed') continue;
    if (answer.kind === 'ok') {
      if (failures > 0) life.log({ level: 'info', event: 'claim_works', message: 'Claiming again' });
      failures = 0;
      // Never later than now: a wall clock that was set forward while the request was held must not vouch for the future.
      life.noteHeard(Math.min(sentAt + answer.waited_ms, life.deps.clock.monotonic()));
      const wasQuick = life.deps.clock.monotonic() - sentAt < QUICK_MS;
      quick = wasQuick && answer.brought === 'nothing' ? quick + 1 : 0;
      if (quick > 1) await pause(life, backOffMs(Math.min(quick - 2, 3), life.deps.randomness.fraction()));
      // Tasks that a results answer has brought are named again by the poll that was under way.
      else if (wasQuick && answer.brought === 'known') await pause(life, KNOWN_PAUSE_MS);
      continue;
    }
    if (life.signal.aborted || life.endsAgent(answer)) return;
    if (answer.kind === 'final') {
      life.finish({
        kind: 'refused',
        message: `The control plane refuses this agent's claims: ${answer.message}`,
      });
      return;
    }
    if (failures === 0) {
      life.log({
        level: 'warn',
        event: 'claim_failed',
        message: `Cannot claim: ${answer.message}; trying again`,
      });
    }
    const delay = backOffMs(
      failures,
      life.deps.randomness.fraction(),
      answer.kind === 'retry' ? answer.retry_after_ms : null,
    );
    failures += 1;
    await pause(life, delay);
  }
}

function pause(life: AgentLife, ms: number): Promise<void> {
  return wait(life.deps.timers, ms, life.signal);
}

/** One claim; `changed` when what it says became untrue under way (draining). */
async function claimOnce(life: AgentLife) {
  const request = new AbortController();
  const cancel = () => request.abort(new Error('given up'));
  life.signal.addEventListener('abort', cancel, { once: true });
  const stopWatching = new AbortController();
  let changed = false;
  void life.claimChanged.wait(stopWatching.signal).then(() => {
    if (stopWatching.signal.aborted) return;
    changed = true;
    cancel();
  });
  const ticket = life.book.openRequest();
  try {
    const answer = await life.controlPlane.claim(life.claimRequest(), life.session.poll_ms, request.signal);
    if (answer.kind === 'ok') {
      const waited_ms = answer.body.waited_ms ?? 0;
      return { kind: 'ok', brought: life.takeIn(answer.body), waited_ms } as const;
    }
    return changed ? 'changed' : answer;
  } finally {
    life.book.closeRequest(ticket);
    stopWatching.abort();
    life.signal.removeEventListener('abort', cancel);
  }
}
