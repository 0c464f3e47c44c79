import { randomBytes } from 'node:crypto';
import type { AttemptRunner, RunnerContext } from '../exec/attempt-order.ts';
import { createAttemptRunner } from '../exec/attempt-runner.ts';
import { type Guardian, startGuardian } from '../exec/guardian.ts';
import type { Transport } from '../http/transport.ts';
import { lockHome } from './lock-home.ts';
import { type OutboxLog, openOutboxLog } from './outbox-log.ts';

export interface Clock {
  /** Milliseconds since 1970, for people and the wire. May jump. */
  now(): number;
  /** Milliseconds since some moment, for measuring. Never jumps. */
  monotonic(): number;
}

export interface Timers {
  /** Calls `fire` once after `ms`; what comes back cancels it. */
  set(fire: () => void, ms: number): () => void;
}

export interface Randomness {
  /** At least 0, below 1. */
  fraction(): number;
  /** 32 hexadecimal digits that nobody can guess. */
  id(): string;
}

/** Everything that time, chance, the network and other processes bring in: a simulation replaces it. */
export interface AgentDeps {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomness: Randomness;
  readonly transport: Transport;
  createRunner(context: RunnerContext): AttemptRunner;
  openOutboxLog(folder: string): Promise<OutboxLog>;
  /** Starts what ends this agent's processes when it dies without a word. */
  startGuardian(data: string, markerPrefix: string, say: (message: string) => void): Guardian;
  /** Makes this agent the only one on its state directory; null when it is not. What comes back lets go. */
  lockHome(data: string): Promise<(() => Promise<void>) | null>;
}

export function systemDeps(): AgentDeps {
  return {
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    timers: {
      set: setLongTimeout,
    },
    randomness: {
      fraction: () => Math.random(),
      id: () => randomBytes(16).toString('hex'),
    },
    transport: (url, init) => fetch(url, init),
    createRunner: createAttemptRunner,
    openOutboxLog,
    startGuardian,
    lockHome,
  };
}

/** What setTimeout can hold, about 25 days; beyond it fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

function setLongTimeout(fire: () => void, ms: number): () => void {
  let timer: NodeJS.Timeout;
  const arm = (left: number) => {
    const step = Math.min(left, MAX_TIMEOUT_MS);
    timer = setTimeout(() => (left > step ? arm(left - step) : fire()), step);
  };
  arm(ms);
  return () => clearTimeout(timer);
}
