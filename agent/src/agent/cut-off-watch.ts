import type { AgentLife } from './agent-life.ts';
import { wait } from './wait.ts';

/**
 * What must be over before the lease is: SIGKILL, the kernel's clean-up, and the drift of two monotonic
 * clocks over 35 s (a few ms). At most a quarter of the lease, for short leases in tests.
 */
const MARGIN_MS = 5_000;

/**
 * With a shared directory another agent that takes over writes the same files. So this one ends its
 * processes before its leases can have ended, counted from the last request that was answered. Without
 * a shared directory it keeps working: its result is either welcome or refused, and hurts nobody.
 */
export async function runCutOffWatch(life: AgentLife): Promise<void> {
  if (life.options.shared_dir === undefined) return;
  const { clock, timers } = life.deps;
  const trusted = life.session.lease_ms - Math.min(MARGIN_MS, life.session.lease_ms / 4);
  while (!life.signal.aborted) {
    const left = life.heard_at + trusted - clock.monotonic();
    if (left > 0) {
      await wait(timers, Math.ceil(left), life.signal);
      continue;
    }
    if (!life.queue.isIdle) {
      life.log({
        level: 'error',
        event: 'cut_off',
        message:
          'The control plane is out of reach: ending all processes, since others may run them on the same files',
      });
      life.returnQueued();
      life.queue.endRunning('cut_off', 'at_once');
    }
    // Nothing new can arrive without an answer; a short step keeps the watch on time after one.
    await wait(timers, trusted / 10, life.signal);
  }
}
