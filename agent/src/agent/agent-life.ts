import {
  type ClaimAnswer,
  type ClaimRequest,
  formatTaskId,
  type LeaseKey,
  type RegisterAnswer,
  type Signal,
  type Stop,
} from '@planfleet/shared-types';
import type { AttemptOrder, AttemptResult, AttemptRunner, LogEntry } from '../exec/attempt-order.ts';
import type { Failure } from '../http/answer.ts';
import type { ControlPlaneClient } from '../http/control-plane-client.ts';
import type { AgentDeps } from './agent-deps.ts';
import type { AgentOptions, ExitReason } from './agent-options.ts';
import { LeaseBook, leaseText } from './lease-book.ts';
import type { LogStreamer } from './log-streamer.ts';
import { Outbox, type OutboxEntry } from './outbox.ts';
import type { OutboxLog } from './outbox-log.ts';
import { RunQueue } from './run-queue.ts';
import { sendAttached } from './send-attached.ts';
import { unstartedResult } from './unstarted-result.ts';
import { WakeUp } from './wake-up.ts';

/** As many as a claim can state. */
const MAX_SLOTS = 10_000;

export interface LifeParts {
  readonly options: AgentOptions;
  readonly deps: AgentDeps;
  readonly controlPlane: ControlPlaneClient;
  readonly runner: AttemptRunner;
  readonly logs: LogStreamer;
  readonly outboxLog: OutboxLog;
  readonly session: RegisterAnswer;
}

/** What the loops of one registered agent share. They find and enqueue; the queue acts. */
export class AgentLife {
  readonly options: AgentOptions;
  readonly deps: AgentDeps;
  readonly controlPlane: ControlPlaneClient;
  readonly session: RegisterAnswer;
  readonly book = new LeaseBook();
  readonly queue: RunQueue;
  readonly outbox: Outbox;
  readonly runner: AttemptRunner;
  readonly logs: LogStreamer;
  /** Logs that follow their reports. */
  readonly lateLogs = new Set<Promise<void>>();
  /** Rings when the claim under way no longer says what is true. */
  readonly claimChanged = new WakeUp();
  readonly over: Promise<ExitReason>;
  draining = false;
  /** When the last answered request was sent, by the clock that never jumps. */
  heard_at: number;
  readonly #ending = new AbortController();
  /** Leases that were told to end, and how. */
  readonly #stops = new Map<string, Signal>();
  #finish: (reason: ExitReason) => void = () => undefined;

  constructor(parts: LifeParts) {
    this.options = parts.options;
    this.deps = parts.deps;
    this.controlPlane = parts.controlPlane;
    this.session = parts.session;
    this.runner = parts.runner;
    this.logs = parts.logs;
    this.heard_at = parts.deps.clock.monotonic();
    this.over = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.outbox = new Outbox(
      parts.outboxLog,
      (entry) => this.log(entry),
      (entry) => this.sendAttached(entry),
      () => this.claimChanged.ring(),
    );
    this.queue = new RunQueue({
      slots: parts.options.slots,
      runner: parts.runner,
      onOver: (order, result) => this.#noteOver(order, result),
    });
  }

  /** Fires when the loops must end. */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  log(entry: LogEntry): void {
    this.options.log(entry);
  }

  /** Ends the life of this agent; the first reason wins. */
  finish(reason: ExitReason): void {
    this.#finish(reason);
  }

  /** Ends the loops. */
  endLoops(): void {
    this.#ending.abort();
  }

  /** An answer came to a request that was sent at `sentAt`: the leases live at least from then on. */
  noteHeard(sentAt: number): void {
    this.heard_at = Math.max(this.heard_at, sentAt);
  }

  claimRequest(): ClaimRequest {
    return {
      session: this.session.session,
      // The control plane subtracts every lease, also of those that are over and only kept back.
      slots: this.draining ? 0 : Math.min(this.options.slots + this.outbox.held, MAX_SLOTS),
      have: this.book.have(),
    };
  }

  /** Takes in what an answer brought; says whether there was anything, and anything new. */
  takeIn(answer: ClaimAnswer): 'news' | 'known' | 'nothing' {
    const orders = this.book.admit(answer);
    if (this.draining) for (const order of orders) this.#handBack(order);
    else this.queue.enqueue(orders);
    const stops = this.stop(answer.stops);
    if (orders.length > 0 || stops > 0) return 'news';
    return answer.leases.length > 0 ? 'known' : 'nothing';
  }

  /** Ends these; says how many of them it had not been told before. */
  stop(stops: readonly Stop[]): number {
    for (const text of this.#stops.keys()) if (!this.book.has(text)) this.#stops.delete(text);
    let news = 0;
    for (const stop of stops) {
      const text = leaseText(stop);
      // Told again and again until the processes have ended, which may take a while; a kill may follow an abort.
      if (this.#stops.get(text) === stop.kind || !this.book.has(text)) continue;
      this.#stops.set(text, stop.kind);
      news += 1;
      const reason = stop.kind === 'stop' ? 'stop' : 'aborted';
      const unstarted = this.queue.end(stop, reason, stop.kind === 'kill' ? 'at_once' : 'gently');
      if (unstarted === null) continue;
      const [outcome, message] =
        stop.kind === 'stop'
          ? (['stopped', 'Stopped before it started'] as const)
          : (['failed', 'Aborted before it started'] as const);
      this.outbox.add(unstartedResult(unstarted, outcome, message, this.deps.clock.now()));
    }
    return news;
  }

  drop(keys: readonly LeaseKey[]): void {
    for (const key of keys) {
      if (this.queue.end(key, 'gone', 'at_once') !== null) this.book.release(key);
    }
  }

  returnQueued(): void {
    for (const order of this.queue.takeQueued()) this.#handBack(order);
  }

  /** Sends what a report names; the report follows when all of it is there. */
  sendAttached(entry: OutboxEntry): void {
    entry.state = 'attached';
    const { chunk_files, uploads, log_upload } = entry.result;
    const hasNothing = chunk_files.length === 0 && uploads.length === 0 && log_upload === undefined;
    if (hasNothing) this.outbox.markReady(entry);
    else void sendAttached(this, entry);
  }

  /** Deals with a decision of the control plane that ends this agent; says whether it was one. */
  endsAgent(failure: Failure): boolean {
    if (failure.kind === 'superseded') {
      this.finish({
        kind: 'superseded',
        message: `Another agent named ${this.options.name} took over: ${failure.message}`,
      });
      return true;
    }
    if (failure.kind === 'too_old') {
      this.finish({ kind: 'too_old', message: failure.message });
      return true;
    }
    if (failure.kind === 'final' && (failure.status === 401 || failure.status === 403)) {
      this.finish({
        kind: 'refused',
        message: `The control plane no longer accepts this agent: ${failure.message}`,
      });
      return true;
    }
    return false;
  }

  #handBack(order: AttemptOrder): void {
    this.outbox.add(
      unstartedResult(order, 'returned', 'Handed back: the agent is leaving', this.deps.clock.now()),
    );
  }

  #noteOver(order: AttemptOrder, result: AttemptResult | null): void {
    const outcome = result?.report.outcome ?? 'gone';
    const address = { batch_id: order.spec.batch_id, stage_key: order.spec.key, ordinal: order.task.ordinal };
    const why = result?.report.message ?? null;
    this.log({
      level: outcome === 'failed' ? 'warn' : 'info',
      event: 'task_over',
      message: `${formatTaskId(address)} ${outcome}${why === null ? '' : `: ${why}`}`,
      details: { attempt: order.task.attempt, outcome },
    });
    if (result === null) this.book.release(order.task);
    else this.outbox.add(result);
  }
}
