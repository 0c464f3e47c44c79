import type { AgentLife } from './agent-life.ts';
import { wait } from './wait.ts';

/** Safety net: whatever event was missed, what it should have caused happens within one cycle. */
export async function runInternalCycle(life: AgentLife): Promise<void> {
  while (!life.signal.aborted) {
    await wait(life.deps.timers, life.session.internal_cycle_ms, life.signal);
    life.queue.startNext();
    life.outbox.ready.ring();
  }
}
