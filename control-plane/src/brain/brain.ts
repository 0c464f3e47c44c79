import { takeLogLines } from '../store/transitions/take-log-lines.ts';
import { advanceChildren, hasAdvanced } from './advance-children.ts';
import { advance, runTick, type TickDeps, type TickReport } from './tick.ts';

export interface BrainDeps extends TickDeps {
  /** Told after every change that may have made work claimable. */
  readonly wake: { notify(): void };
  readonly timers: { set(run: () => void, ms: number): () => void };
  /** Runs work that no request waits for (on Workers: `waitUntil`). */
  defer(work: () => Promise<void>): void;
  log(entry: { level: 'info' | 'warn' | 'error'; message: string; [key: string]: unknown }): void;
}

export interface Brain {
  tick(): Promise<TickReport>;
  /** Goes on soon with lists and cancels that a request began, instead of at the next tick. */
  kick(): void;
}

/** Chunks between two turns of the event loop: 100 to 200 ms of work. */
const CHUNKS_PER_TURN = 10;

/** The timer's side of the release logic. Holds no state that matters: everything it does can be done by another instance. */
export function createBrain(deps: BrainDeps): Brain {
  let advancing = false;
  let kicked = false;

  async function advanceAll(): Promise<void> {
    advancing = true;
    try {
      let more = true;
      while (more || kicked) {
        kicked = false;
        let chunks = 0;
        const done = await advance(deps, () => ++chunks <= CHUNKS_PER_TURN);
        const children = await advanceChildren(deps, () => ++chunks <= CHUNKS_PER_TURN);
        // What a child's start or end has made ready, here or one level up, is looked at in the next turn.
        more = (done.more && done.expanded + done.swept + done.retried > 0) || hasAdvanced(children);
        deps.wake.notify();
        // An embedded database answers without a turn of the event loop: requests get theirs here.
        if (more) await new Promise<void>((resolve) => deps.timers.set(resolve, 0));
      }
    } catch (error) {
      // Nothing is lost: the next tick finds the same work.
      deps.log({
        level: 'error',
        message: 'Going on failed; the next tick takes it up.',
        error: String(error),
      });
    } finally {
      advancing = false;
    }
  }

  return {
    async tick() {
      const report = await runTick(deps).finally(() => logDecisions(deps));
      deps.wake.notify();
      return report;
    },
    kick() {
      kicked = true;
      if (!advancing) deps.defer(advanceAll);
    },
  };
}

/** The decision log goes to the log of the server too, a tick behind; with several instances, to that of one. */
async function logDecisions({ db, log }: BrainDeps): Promise<void> {
  for (const { id, at, message, details, ...facts } of await takeLogLines(db)) {
    const known = Object.entries(facts).filter(([, value]) => value !== null);
    log({
      level: 'info',
      event: 'decision',
      message,
      decision: id,
      decided_at: at,
      ...Object.fromEntries(known),
      details,
    });
  }
}
