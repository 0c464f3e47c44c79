import type { ArtifactStore } from './artifacts/artifact-store.ts';
import type { TokenVerifier } from './auth/token-verifier.ts';
import type { Settings } from './settings.ts';
import type { Database } from './store/database.ts';
import type { LogBell } from './wake/log-bell.ts';
import type { Wake } from './wake/wake.ts';
import type { BatchWatch } from './watch/batch-watch.ts';

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** A timer that was set; calling it takes the timer back. */
export type ClearTimer = () => void;

export interface Timers {
  set(run: () => void, ms: number): ClearTimer;
}

export type LogLevel = 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly [key: string]: unknown;
}

export type Log = (entry: LogEntry) => void;

/** What the routes ask of the brain. */
export interface BrainPort {
  tick(): Promise<object>;
  /** Something is pending (a list to expand, stages to settle, rows to sweep) that should not wait for the next tick. */
  kick(): void;
}

/**
 * Everything that the control plane takes from outside: the simulation runs the same app on its own clock,
 * timers and faults.
 */
export interface Deps {
  readonly db: Database;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly timers: Timers;
  /** In [0, 1), like Math.random. */
  readonly random: () => number;
  /** Lower-case hex. A port, because WebCrypto resolves in no fixed order and Node hashes ten times faster at once. */
  readonly sha256: (data: Uint8Array) => Promise<string>;
  readonly wake: Wake;
  readonly logs: LogBell;
  readonly watch: BatchWatch;
  readonly brain: BrainPort;
  readonly auth: TokenVerifier;
  readonly log: Log;
  readonly settings: Settings;
}
