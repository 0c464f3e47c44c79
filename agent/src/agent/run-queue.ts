import type { LeaseKey } from '@planfleet/shared-types';
import type {
  AttemptOrder,
  AttemptResult,
  AttemptRunner,
  EndManner,
  EndReason,
  RunningAttempt,
} from '../exec/attempt-order.ts';
import { leaseText } from './lease-book.ts';

interface Running {
  readonly order: AttemptOrder;
  readonly attempt: RunningAttempt;
  gone: boolean;
}

export interface RunQueueOptions {
  readonly slots: number;
  readonly runner: AttemptRunner;
  /** An attempt is over; the result is null where nothing may be reported. */
  onOver(order: AttemptOrder, result: AttemptResult | null): void;
}

/** The one place that starts and stops attempts; never more at once than there are slots. */
export class RunQueue {
  readonly #options: RunQueueOptions;
  readonly #queued = new Map<string, AttemptOrder>();
  readonly #running = new Map<string, Running>();
  readonly #idle: (() => void)[] = [];
  #closed = false;

  constructor(options: RunQueueOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#queued.size === 0 && this.#running.size === 0;
  }

  /** All that is queued or running: what must not be taken for dead. */
  leases(): LeaseKey[] {
    const orders = [...this.#queued.values(), ...[...this.#running.values()].map((run) => run.order)];
    return orders.map(({ task }) => ({ stage: task.stage, ordinal: task.ordinal, lease: task.lease }));
  }

  enqueue(orders: readonly AttemptOrder[]): void {
    for (const order of orders) this.#queued.set(leaseText(order.task), order);
    this.startNext();
  }

  startNext(): void {
    if (this.#closed) return;
    for (const [text, order] of this.#queued) {
      if (this.#running.size >= this.#options.slots) return;
      this.#queued.delete(text);
      const run: Running = { order, attempt: this.#options.runner.start(order), gone: false };
      this.#running.set(text, run);
      void run.attempt.done.then((result) => {
        this.#running.delete(text);
        this.#options.onOver(order, run.gone ? null : result);
        this.startNext();
        this.#noteIdle();
      });
    }
  }

  /** Ends one attempt. One that has not started comes back as an order, for the caller to report. */
  end(key: LeaseKey, reason: EndReason, manner: EndManner): AttemptOrder | null {
    const text = leaseText(key);
    const queued = this.#queued.get(text);
    if (queued !== undefined) {
      this.#queued.delete(text);
      this.#noteIdle();
      return queued;
    }
    const run = this.#running.get(text);
    if (run === undefined) return null;
    if (reason === 'gone') run.gone = true;
    run.attempt.end(reason, manner);
    return null;
  }

  endRunning(reason: EndReason, manner: EndManner): void {
    for (const run of this.#running.values()) {
      if (reason === 'gone') run.gone = true;
      run.attempt.end(reason, manner);
    }
  }

  /** Takes out all that has not started. */
  takeQueued(): AttemptOrder[] {
    const orders = [...this.#queued.values()];
    this.#queued.clear();
    this.#noteIdle();
    return orders;
  }

  /** Starts nothing any more. */
  close(): void {
    this.#closed = true;
  }

  whenIdle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  #noteIdle(): void {
    if (this.isIdle) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
