import type { Attempt } from './attempt.ts';

interface Carrier {
  /** Lets its report go; first with what the outputs hold now when it `carries`. */
  release(carries: boolean): void;
}

interface Siblings {
  running: number;
  carrier: Carrier | null;
}

/**
 * Keeps one success of a stage back while others of the stage still write, so that there is a report for
 * its files whatever becomes of them: a failure cannot bring any. Each success takes over from the one
 * before. Nothing waits longer for that, since what depends on a stage depends on all its tasks.
 */
export class Carriers {
  readonly #stages = new Map<number, Siblings>();

  begin(attempt: Attempt): void {
    const { stage } = attempt.task;
    const siblings = this.#stages.get(stage) ?? { running: 0, carrier: null };
    siblings.running += 1;
    this.#stages.set(stage, siblings);
  }

  /** The attempt writes no more. When the last one failed, the carrier brings what is left. */
  end(attempt: Attempt, isSuccess: boolean): void {
    const { stage } = attempt.task;
    const siblings = this.#stages.get(stage);
    if (siblings === undefined) return;
    siblings.running -= 1;
    const { carrier } = siblings;
    if (siblings.running === 0) this.#stages.delete(stage);
    if (isSuccess || siblings.running === 0) {
      siblings.carrier = null;
      carrier?.release(!isSuccess);
    }
  }

  /** What settles when the report of a success may go, null when it may at once. Comes after its `end`. */
  hold(attempt: Attempt): Promise<{ carries: boolean }> | null {
    const siblings = this.#stages.get(attempt.task.stage);
    if (siblings === undefined) return null;
    siblings.carrier?.release(false);
    return new Promise((resolve) => {
      siblings.carrier = { release: (carries) => resolve({ carries }) };
    });
  }
}
