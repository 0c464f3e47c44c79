import type { LeasedTask, Report, StageSpec } from '@planfleet/shared-types';
import type { Clock, Randomness, Timers } from '../agent/agent-deps.ts';
import type { BlobClient } from '../http/blob-client.ts';

/** One attempt to run: what the control plane leased to this agent. */
export interface AttemptOrder {
  readonly task: LeasedTask;
  readonly spec: StageSpec;
}

/**
 * Why an attempt is ended from outside. The first reason wins.
 * - `stop`: the control plane said so; reported as stopped.
 * - `gone`: the lease belongs to somebody else; nothing is reported.
 * - `returned`: this agent is leaving; the task is ready again at once.
 * - `cut_off`: the lease may be over and another agent may run on the same files; handed back.
 */
export type EndReason = 'stop' | 'gone' | 'returned' | 'cut_off';

/** `gently`: SIGTERM, and SIGKILL after a while. `at_once`: SIGKILL. */
export type EndManner = 'gently' | 'at_once';

export interface RunningAttempt {
  /** Never rejects. */
  readonly done: Promise<AttemptResult>;
  end(reason: EndReason, manner: EndManner): void;
}

/** Chunks of a list that wait on disk, one JSON document a line, for the control plane. */
export interface ChunkFile {
  readonly list: number;
  readonly file: string;
}

/** Content that the report names and that must be at the control plane before it. */
export interface Upload {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
}

/** How an attempt ended, with all that has to be at the control plane before the report. */
export interface AttemptResult {
  readonly report: Report;
  readonly chunk_files: readonly ChunkFile[];
  readonly uploads: readonly Upload[];
}

export interface AttemptRunner {
  start(order: AttemptOrder): RunningAttempt;
  /** Ends what earlier lives of this agent have left running; says how many processes it were. */
  endLeftovers(): Promise<number>;
  /** A report was accepted: its files need not be told again. */
  noteAccepted(result: AttemptResult): void;
}

export interface RunnerContext {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomness: Randomness;
  readonly blobs: BlobClient;
  /** State directory of the agent. */
  readonly data: string;
  /** Folder of plans and batches: below `data`, or below the shared directory. */
  readonly plans: string;
  /** Other agents use the same folder of plans. */
  readonly plans_are_shared: boolean;
  /** Where chunk files are put. */
  readonly chunks: string;
  /** Random id of the state directory: all markers begin with it. */
  readonly agent_id: string;
  log(entry: LogEntry): void;
}

export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly [key: string]: unknown;
}
