import type { ErrorType, FileReport, ListReport, TemplateValues } from '@planfleet/shared-types';
import type { AttemptLog } from './attempt-log.ts';
import type { AttemptOrder, ChunkFile, RunnerContext, Upload } from './attempt-order.ts';
import type { Carriers } from './carriers.ts';
import type { Ending } from './ending.ts';
import type { Ledgers } from './ledgers.ts';
import type { OutputWriter } from './open-outputs.ts';
import type { ProcessExit, ProcessRunner } from './process-runner.ts';
import type { SecretMask } from './secret-mask.ts';
import type { SharedWork } from './shared-work.ts';

/** What all attempts of an agent share. */
export interface Workshop extends RunnerContext {
  readonly processes: ProcessRunner;
  /** Preparations that several attempts wait for: a bundle, an input, a Setup. */
  readonly shared: SharedWork;
  readonly ledgers: Ledgers;
  readonly carriers: Carriers;
  /** Batches whose folders are there. */
  readonly made: Set<string>;
}

/** One attempt on its way through the steps; each step fills in its part. */
export interface Attempt extends AttemptOrder {
  readonly shop: Workshop;
  readonly ending: Ending;
  plan_path: string;
  batch_path: string;
  values: TemplateValues;
  started_at: number | null;
  exit: ProcessExit | null;
  /** Secrets by name: for its command, and for Setup. */
  secrets: Readonly<Record<string, string>>;
  setup_secrets: Readonly<Record<string, string>>;
  mask: SecretMask;
  /** Null: it writes none. */
  log: { readonly file: AttemptLog; stopFollowing(): void } | null;
  /** Output to show where it has no log of its own. */
  tail: string;
  lists: ListReport[];
  chunk_files: ChunkFile[];
  /** The outputs it names, while it may write them. */
  outputs: OutputWriter[];
  /** Something below its outputs waits for others that may have written it. */
  leaves_files: boolean;
  files: FileReport[];
  uploads: Upload[];
}

/** An attempt fails, with one sentence for people. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError';
  readonly error_type: ErrorType;
  /** Output to show in place of the command's own. */
  readonly tail: string | null;

  constructor(error_type: ErrorType, message: string, options: { tail?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.error_type = error_type;
    this.tail = options.tail ?? null;
  }
}
