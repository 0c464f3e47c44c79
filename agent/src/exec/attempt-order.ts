import type { LeasedTask, Report, StageSpec } from '@planfleet/shared-types';
import type { Clock, Randomness, Timers } from '../agent/agent-deps.ts';
import type { BlobClient } from '../http/blob-client.ts';
import type { LogUpload } from './finish-log.ts';
import type { LogSink } from './log-sink.ts';

/** One attempt to run: what the control plane leased to this agent. */
export interface AttemptOrder {
  readonly task: LeasedTask;
  readonly spec: StageSpec;
}

/**
 * Why an attempt is ended from outside. The first reason wins.
 * - `stop`: the control plane said so; reported as stopped.
 * - `aborted`: an operator or the control plane gave this attempt up; reported as failed.
 * - `gone`: the lease belongs to somebody else; nothing is reported.
 * - `returned`: this agent is leaving; the task is ready again at once.
 * - `cut_off`: the lease may be over and another agent may run on the same files; handed back.
 */
export type EndReason = 'stop' | 'aborted' | 'gone' | 'returned' | 'cut_off';

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
  /** Where the content is read: a copy that belongs to the agent, or the output itself when it is large. */
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  /** The output in the batch. */
  readonly source: string;
  /** Its path in the report. */
  readonly path: string;
  /** What the output looked like when it was hashed. */
  readonly stamp: string;
}

/** How an attempt ended, with all that has to be at the control plane before the report. */
export interface AttemptResult {
  readonly report: Report;
  readonly chunk_files: readonly ChunkFile[];
  readonly uploads: readonly Upload[];
  /** Its log, where the report says that it is uploaded. */
  readonly log_upload?: LogUpload | undefined;
  /** It is over, but its report is kept back: settles with what is to be reported. */
  readonly held?: Promise<AttemptResult>;
}

export interface AttemptRunner {
  start(order: AttemptOrder): RunningAttempt;
  /** Ends what earlier lives of this agent have left running; says how many processes it were. */
  endLeftovers(): Promise<number>;
  /** A report was accepted: its files need not be told again. */
  noteAccepted(result: AttemptResult): void;
  /** A report did not count: who succeeds next brings its files. */
  noteRefused(result: AttemptResult): void;
  /** The content of an upload is no longer what was hashed: what is there now, or null to leave it to others. */
  pinAgain(upload: Upload): Promise<Upload | null>;
}

export interface RunnerContext {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomness: Randomness;
  readonly blobs: BlobClient;
  readonly logs: LogSink;
  /** Disk that the log of one attempt may take, in bytes. */
  readonly log_cap: number;
  /** Names and values of what plans call their secrets. */
  readonly secrets_file: string;
  /** State directory of the agent. */
  readonly data: string;
  /** Folder of plans and batches: below `data`, or below the shared directory. */
  readonly plans: string;
  /** Other agents use the same folder of plans. */
  readonly plans_are_shared: boolean;
  /** Where chunk files are put. */
  readonly chunks: string;
  /** Where copies of outputs wait until they are delivered. */
  readonly copies: string;
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
