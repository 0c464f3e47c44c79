import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Timers } from '../agent/agent-deps.ts';
import { endProcesses, findProcesses, groupExists, type ProcessSet, TERM_GRACE_MS } from './end-processes.ts';
import { ProcessRecord } from './process-record.ts';
import { readStartTime } from './read-proc.ts';

export interface ProcessOrder {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Receives stdout and stderr, behind what is in it. */
  readonly log_file: string;
  readonly marker: string;
  readonly timeout_ms: number | null;
  /** Fires when the processes must end. */
  readonly end: AbortSignal;
  /** Fires when they must end without delay. */
  readonly hurry: AbortSignal;
}

/** What became of a process. One flat value, every field always there. */
export interface ProcessExit {
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly timed_out: boolean;
  /** Why it could not be started. */
  readonly start_error: string | null;
  /** Processes that could not be ended. */
  readonly survivors: readonly number[];
}

/**
 * What stays of a group after its command has ended is background work; a second is enough to flush a
 * buffer, and a task's slot waits for it.
 */
const LINGER_MS = 1_000;

/** The one place that starts and ends processes. */
export class ProcessRunner {
  readonly #timers: Timers;
  readonly #record: ProcessRecord;
  readonly #markerPrefix: string;

  constructor(data: string, markerPrefix: string, timers: Timers) {
    this.#timers = timers;
    this.#record = new ProcessRecord(join(data, 'running'));
    this.#markerPrefix = markerPrefix;
  }

  async run(order: ProcessOrder): Promise<ProcessExit> {
    let log: number;
    try {
      // Appending, since a command may open /dev/stderr anew and would write over its own output.
      const { O_WRONLY, O_CREAT, O_APPEND } = constants;
      log = openSync(order.log_file, O_WRONLY | O_CREAT | O_APPEND, 0o644);
    } catch (error) {
      return { ...NOT_STARTED, start_error: `its log cannot be written: ${describe(error)}` };
    }
    const [program, ...args] = order.argv;
    // Straight to a file: a full pipe can never block a task, and nothing of 100 MB passes through here.
    // With these options execa takes 2.7 ms for `true` where a bare spawn takes 2.3 ms.
    // The types of execa know descriptors up to 9 only; it hands any number on.
    const output = log as 9;
    const child = execa(program, args, {
      cwd: order.cwd,
      env: order.env,
      extendEnv: false,
      stdio: ['ignore', output, output],
      buffer: false,
      stripFinalNewline: false,
      detached: true,
      cleanup: false,
      reject: false,
      forceKillAfterDelay: false,
    });
    closeSync(log);
    const { pid } = child;
    if (pid === undefined) {
      const result = await child;
      return { ...NOT_STARTED, start_error: result.originalMessage ?? result.shortMessage ?? 'unknown' };
    }
    this.#record.add(pid);
    const set: ProcessSet = {
      group: pid,
      marker: { text: order.marker, is_prefix: false },
      since: readStartTime(pid),
    };
    const forced = this.#watch(order, set);
    const result = await child;
    const { timed_out, survivors } = await forced.settle();
    const isSuccess = result.exitCode === 0 && !timed_out && !order.end.aborted;
    const others = forced.wasForced ? [] : await this.#endRest(set, isSuccess, order.hurry);
    this.#record.remove(pid);
    return {
      exit_code: result.exitCode ?? null,
      signal: result.signal ?? null,
      timed_out,
      start_error: null,
      survivors: [...survivors, ...others],
    };
  }

  /** Ends what earlier lives of this agent, and tasks that went into the background, have left running. */
  async endLeftovers(): Promise<number> {
    const options = { timers: this.#timers, term_ms: 0, hurry: new AbortController().signal };
    let count = 0;
    for (const group of this.#record.findGroups()) {
      const { found } = await endProcesses({ group, marker: null, since: null }, options);
      count += found;
      this.#record.remove(group);
    }
    const marker = { text: this.#markerPrefix, is_prefix: true };
    const { found } = await endProcesses({ group: null, marker, since: null }, options);
    return count + found;
  }

  /** Ends the processes on a wish from outside, or when their time is over. */
  #watch(order: ProcessOrder, set: ProcessSet) {
    let ending: Promise<readonly number[]> | null = null;
    let timedOut = false;
    const force = () => {
      ending ??= endProcesses(set, {
        timers: this.#timers,
        term_ms: TERM_GRACE_MS,
        hurry: order.hurry,
      }).then(({ survivors }) => survivors);
    };
    const cancelTimeout =
      order.timeout_ms === null
        ? () => undefined
        : this.#timers.set(() => {
            timedOut = ending === null;
            force();
          }, order.timeout_ms);
    if (order.end.aborted) force();
    else order.end.addEventListener('abort', force, { once: true });
    return {
      get wasForced(): boolean {
        return ending !== null;
      },
      async settle(): Promise<{ timed_out: boolean; survivors: readonly number[] }> {
        cancelTimeout();
        order.end.removeEventListener('abort', force);
        return { survivors: (await ending) ?? [], timed_out: timedOut };
      },
    };
  }

  /**
   * A task is over when its command is. After a success its group is ended, and what left the group on
   * purpose stays until the agent ends; after a failure all of it is ended.
   */
  async #endRest(set: ProcessSet, isSuccess: boolean, hurry: AbortSignal): Promise<readonly number[]> {
    if (isSuccess && (set.group === null || !groupExists(set.group))) return [];
    const rest = isSuccess ? { ...set, marker: null } : set;
    if ((await findProcesses(rest)).length === 0) return [];
    const ended = await endProcesses(rest, { timers: this.#timers, term_ms: LINGER_MS, hurry });
    return ended.survivors;
  }
}

const NOT_STARTED: ProcessExit = {
  exit_code: null,
  signal: null,
  timed_out: false,
  start_error: null,
  survivors: [],
};

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
