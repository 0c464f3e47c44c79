import type { AgentLife } from './agent-life.ts';
import { wait } from './wait.ts';

/** A failed beat is tried again at this pace: about 25 times before a lease of 35 s ends. */
const RETRY_MS = 1_000;

/** Keeps the leases alive while there are any, also while draining, until the last process has ended. */
export async function runHeartbeatLoop(life: AgentLife): Promise<void> {
  let failed = false;
  while (!life.signal.aborted) {
    await wait(
      life.deps.timers,
      failed ? Math.min(RETRY_MS, life.session.heartbeat_ms) : life.session.heartbeat_ms,
      life.signal,
    );
    if (life.signal.aborted) return;
    if (life.book.size === 0) continue;
    const sentAt = life.deps.clock.monotonic();
    const answer = await life.controlPlane.beat(
      { session: life.session.session, running: life.queue.leases() },
      life.signal,
    );
    if (life.signal.aborted) return;
    failed = answer.kind !== 'ok';
    if (answer.kind === 'ok') {
      life.noteHeard(sentAt);
      life.stop(answer.body.stops);
      life.drop(answer.body.gone);
    } else if (life.endsAgent(answer)) return;
  }
}
