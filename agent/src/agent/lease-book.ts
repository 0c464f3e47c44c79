import type { ClaimAnswer, LeaseKey } from '@planfleet/shared-types';
import type { AttemptOrder } from '../exec/attempt-order.ts';

export function leaseText(key: LeaseKey): string {
  return `${key.stage}:${key.ordinal}:${key.lease}`;
}

/**
 * Every lease this agent knows, so that none is run twice.
 *
 * A lease that is over is remembered while a request is under way that was sent before: the answer to it
 * may have been written when the lease was alive, and would bring the task again.
 */
export class LeaseBook {
  readonly #held = new Map<string, number>();
  readonly #over = new Map<string, number>();
  readonly #underWay = new Set<number>();
  #requests = 0;

  get size(): number {
    return this.#held.size;
  }

  /** Lease numbers held: queued, running or in the outbox. */
  have(): number[] {
    return [...new Set(this.#held.values())];
  }

  /** Before a request whose answer can bring leases. */
  openRequest(): number {
    this.#requests += 1;
    this.#underWay.add(this.#requests);
    return this.#requests;
  }

  /** After its answer was taken in, or was given up for lost. */
  closeRequest(ticket: number): void {
    this.#underWay.delete(ticket);
    const oldest = Math.min(...this.#underWay, this.#requests + 1);
    // In order of their end: the first that must stay ends the search.
    for (const [text, ended] of this.#over) {
      if (ended >= oldest) break;
      this.#over.delete(text);
    }
  }

  has(leaseText: string): boolean {
    return this.#held.has(leaseText);
  }

  hold(key: LeaseKey): void {
    this.#held.set(leaseText(key), key.lease);
  }

  /** The orders of an answer that are new; they are held from now on. */
  admit(answer: ClaimAnswer): AttemptOrder[] {
    const specs = new Map(answer.stages.map((spec) => [spec.stage, spec]));
    const orders: AttemptOrder[] = [];
    for (const task of answer.leases) {
      const text = leaseText(task);
      const spec = specs.get(task.stage);
      // Without its definition it cannot be run; not held, it comes again with the next claim.
      if (spec === undefined || this.#held.has(text) || this.#over.has(text)) continue;
      this.#held.set(text, task.lease);
      orders.push({ task, spec });
    }
    return orders;
  }

  release(key: LeaseKey): void {
    const text = leaseText(key);
    if (this.#held.delete(text)) this.#over.set(text, this.#requests);
  }
}
