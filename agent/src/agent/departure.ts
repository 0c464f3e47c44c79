import type { AgentDeps } from './agent-deps.ts';
import type { AgentLife } from './agent-life.ts';
import type { AgentOptions, ExitReason } from './agent-options.ts';
import { wait } from './wait.ts';

/** After a drain the last reports get this long; then they wait on disk for the next start. */
const DRAIN_DELIVERY_MS = 10_000;
/** Stopping means now: one try of the last reports over a slow line, no more. */
const STOP_DELIVERY_MS = 3_000;

/** How an agent leaves: `drain`, then `stop`, before or after it has registered. */
export class Departure {
  readonly #options: AgentOptions;
  readonly #deps: AgentDeps;
  readonly #beforeStart = new AbortController();
  #asked: 'nothing' | 'drain' | 'stop' = 'nothing';
  #life: AgentLife | null = null;

  constructor(options: AgentOptions, deps: AgentDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Fires when there is no need to register any more. */
  get beforeStart(): AbortSignal {
    return this.#beforeStart.signal;
  }

  drain(): void {
    if (this.#asked !== 'nothing') {
      this.stop();
      return;
    }
    this.#asked = 'drain';
    this.#beforeStart.abort();
    if (this.#life !== null) void this.#drainLife(this.#life);
  }

  stop(): void {
    if (this.#asked === 'stop') return;
    this.#asked = 'stop';
    this.#beforeStart.abort();
    this.#life?.finish({ kind: 'stopped', message: 'Stopped; running tasks were handed back' });
  }

  /** The agent lives from now on; what was asked before happens now. */
  attach(life: AgentLife): void {
    this.#life = life;
    if (this.#asked === 'stop') life.finish({ kind: 'stopped', message: 'Stopped' });
    if (this.#asked === 'drain') void this.#drainLife(life);
  }

  /** Ends all processes and gives the last reports a chance to be delivered. */
  async leave(life: AgentLife, reason: ExitReason): Promise<void> {
    const tells = reason.kind === 'drained' || reason.kind === 'stopped';
    life.draining = true;
    life.queue.close();
    if (tells) life.returnQueued();
    else life.queue.takeQueued();
    // Another process with this name reports for itself; ours would only be refused.
    life.queue.endRunning(tells || reason.kind === 'refused' ? 'returned' : 'gone', 'at_once');
    await life.queue.whenIdle();
    await life.outbox.whenWritten();
    if (tells) await this.#waitForDelivery(life, STOP_DELIVERY_MS);
  }

  async #drainLife(life: AgentLife): Promise<void> {
    life.draining = true;
    life.returnQueued();
    life.claimChanged.ring();
    const running = life.queue.leases().length;
    life.log({
      level: 'info',
      event: 'draining',
      message: `Draining: ${running} running tasks have ${Math.round(this.#options.grace_ms / 1_000)} s to finish`,
    });
    const cancel = this.#deps.timers.set(
      () => life.queue.endRunning('returned', 'gently'),
      this.#options.grace_ms,
    );
    await life.queue.whenIdle();
    cancel();
    await life.outbox.whenWritten();
    await this.#waitForDelivery(life, DRAIN_DELIVERY_MS);
    life.finish({ kind: 'drained', message: 'Drained' });
  }

  async #waitForDelivery(life: AgentLife, ms: number): Promise<void> {
    const enough = new AbortController();
    const delivered = life.outbox.whenEmpty().then(() => Promise.all(life.lateLogs));
    await Promise.race([delivered, wait(this.#deps.timers, ms, enough.signal)]);
    enough.abort();
  }
}
