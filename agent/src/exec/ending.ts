import type { EndManner, EndReason } from './attempt-order.ts';

/** The wish from outside that an attempt ends. The first reason wins; the manner may only grow harder. */
export class Ending {
  readonly #asked = new AbortController();
  readonly #hurry = new AbortController();
  #reason: EndReason | null = null;

  get reason(): EndReason | null {
    return this.#reason;
  }

  /** Fires when the attempt must end. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** Fires when there is no time for SIGTERM. */
  get hurry(): AbortSignal {
    return this.#hurry.signal;
  }

  ask(reason: EndReason, manner: EndManner): void {
    this.#reason ??= reason;
    // First the manner: whoever hears that it ends looks at once how.
    if (manner === 'at_once') this.#hurry.abort();
    this.#asked.abort();
  }
}
