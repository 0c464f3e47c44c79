import { randomBytes } from 'node:crypto';
import type { AttemptRunner, RunnerContext } from '../exec/attempt-order.ts';
import { createAttemptRunner } from '../exec/attempt-runner.ts';
import type { Transport } from '../http/transport.ts';
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
}

export function systemDeps(): AgentDeps {
  return {
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    timers: {
      set(fire, ms) {
        const timer = setTimeout(fire, ms);
        return () => clearTimeout(timer);
      },
    },
    randomness: {
      fraction: () => Math.random(),
      id: () => randomBytes(16).toString('hex'),
    },
    transport: (url, init) => fetch(url, init),
    createRunner: createAttemptRunner,
    openOutboxLog,
  };
}
