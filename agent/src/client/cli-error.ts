/** What the exit code of `planfleet` says to a script. */
export const EXIT = {
  done: 0,
  /** The batch that was watched failed or was cancelled. */
  batch_failed: 1,
  /** A wrong argument, or a plan with errors. */
  usage: 2,
  /** The control plane cannot be reached, or does not allow this. */
  unreachable: 3,
  /** Ctrl-C, as shells number it. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An end of the command that its user can do something about: no stack trace, one hint, one exit code. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exit_code: ExitCode;
  readonly hint: string | undefined;
  /** What programs know it by: the code of the control plane's problem, or the name of the exit code. */
  readonly code: string;
  /** What `--json` says besides. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(exitCode: ExitCode, message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exit_code = exitCode;
    this.hint = options.hint;
    this.code = options.code ?? codeOf(exitCode);
    this.details = options.details ?? {};
  }
}

export interface CliErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly code?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>>;
}

function codeOf(exitCode: ExitCode): string {
  return Object.entries(EXIT).find(([, code]) => code === exitCode)?.[0] ?? 'failed';
}

/** A wrong argument, file or value on this side. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, message, { hint });
}
