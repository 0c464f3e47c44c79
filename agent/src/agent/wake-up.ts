/** A bell: `ring` wakes whoever waits, or lets the next one through at once. */
export class WakeUp {
  #rung = false;
  #waiting: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#waiting?.();
  }

  /** Resolves at the next ring (or one since the last wait), or when the signal fires. */
  wait(signal: AbortSignal): Promise<void> {
    if (this.#rung || signal.aborted) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const finish = () => {
        this.#waiting = null;
        this.#rung = false;
        signal.removeEventListener('abort', finish);
        resolve();
      };
      this.#waiting = finish;
      signal.addEventListener('abort', finish, { once: true });
    });
  }
}
