import type { LogEntry } from '../exec/attempt-order.ts';

export interface AgentOptions {
  /** Address of the control plane. */
  readonly url: string;
  readonly token: string;
  readonly name: string;
  /** State directory of this agent: plans, batches, outbox. */
  readonly data: string;
  /** A directory that all agents mount: plans and batches are there, and nothing is copied. */
  readonly shared_dir?: string;
  /** Tasks at once. */
  readonly slots: number;
  readonly labels: readonly string[];
  /** How long a drain waits for running tasks before it stops and returns them. */
  readonly grace_ms: number;
  /** Names and values of secrets that plans may name; else `secrets.env` in `data`. */
  readonly secrets_file?: string;
  /** Disk that the log of one attempt may take, in bytes; else 64 MB. */
  readonly log_cap?: number;
  readonly version?: string;
  log(entry: LogEntry): void;
}

/** Why an agent ended. `drained` and `stopped` were asked for; the others are errors to show. */
export interface ExitReason {
  readonly kind: 'drained' | 'stopped' | 'superseded' | 'too_old' | 'refused' | 'locked' | 'failed';
  readonly message: string;
}

export interface RunningAgent {
  /** Never rejects. */
  readonly done: Promise<ExitReason>;
  /** Takes no new work, finishes what runs within `grace_ms`, then ends. A second call stops. */
  drain(): void;
  /** Ends all processes now and returns their tasks. */
  stop(): void;
}
