import type { Timers } from '../agent/agent-deps.ts';

/**
 * An abort signal that follows another one and runs out after `ms`, extended by `touch`. By hand, since
 * AbortSignal.any keeps every signal it made alive as long as its source (agents run for months).
 */
export class LinkedAbort {
  readonly #controller = new AbortController();
  readonly #source: AbortSignal;
  readonly #timers: Timers;
  readonly #ms: number;
  #cancelTimer: () => void;
  readonly #follow = () => this.#controller.abort(this.#source.reason);

  constructor(source: AbortSignal, timers: Timers, ms: number) {
    this.#source = source;
    this.#timers = timers;
    this.#ms = ms;
    this.#cancelTimer = this.#startTimer();
    if (source.aborted) this.#follow();
    else source.addEventListener('abort', this.#follow, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  touch(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#startTimer();
  }

  release(): void {
    this.#cancelTimer();
    this.#source.removeEventListener('abort', this.#follow);
  }

  #startTimer(): () => void {
    return this.#timers.set(
      () => this.#controller.abort(new Error(`no answer within ${this.#ms} ms`)),
      this.#ms,
    );
  }
}
