import { backOffMs } from '../http/back-off.ts';
import type { AgentLife } from './agent-life.ts';
import { wait } from './wait.ts';

/** An empty answer that comes sooner did not wait for work: something between us cuts polls short. */
const QUICK_MS = 100;

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
      failures = 0;
      life.noteHeard(sentAt);
      const isNew = answer.isNew;
      const took = life.deps.clock.monotonic() - sentAt;
      quick = isNew || took >= QUICK_MS ? 0 : quick + 1;
      // The first is normal: tasks that came with a results answer are named again by the poll under way.
      if (quick > 1)
        await wait(
          life.deps.timers,
          backOffMs(Math.min(quick - 2, 3), life.deps.randomness.fraction()),
          life.signal,
        );
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
    await wait(life.deps.timers, delay, life.signal);
  }
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
    if (answer.kind === 'ok') return { kind: 'ok', isNew: life.takeIn(answer.body) } as const;
    return changed ? 'changed' : answer;
  } finally {
    life.book.closeRequest(ticket);
    stopWatching.abort();
    life.signal.removeEventListener('abort', cancel);
  }
}
