/**
 * Work that several wait for but one does. It ends when it is done, or when the last that waits has given
 * up. What was done is not remembered here: it shows on disk.
 */
export class SharedWork {
  readonly #underWay = new Map<
    string,
    { result: Promise<unknown>; waiting: number; abort: AbortController }
  >();

  /** Does the work, or waits for the one who does. Rejects with the signal's reason when that fires. */
  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    signal.throwIfAborted();
    let shared = this.#underWay.get(key);
    if (shared === undefined) {
      const abort = new AbortController();
      const result = work(abort.signal).finally(() => {
        if (this.#underWay.get(key)?.abort === abort) this.#underWay.delete(key);
      });
      // Whoever waits hears of a failure; when nobody does any more, nobody needs to.
      result.catch(() => undefined);
      shared = { result, waiting: 0, abort };
      this.#underWay.set(key, shared);
    }
    shared.waiting += 1;
    let stopWaiting = () => {};
    const ended = new Promise<never>((_, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      stopWaiting = () => signal.removeEventListener('abort', onAbort);
    });
    try {
      await Promise.race([shared.result, ended]);
    } finally {
      stopWaiting();
      shared.waiting -= 1;
      if (shared.waiting === 0 && this.#underWay.get(key) === shared) {
        // The next to come starts anew instead of joining work that is being given up.
        this.#underWay.delete(key);
        shared.abort.abort();
      }
    }
  }
}
