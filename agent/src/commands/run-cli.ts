import { CommanderError } from 'commander';
import { CliError, EXIT } from '../client/cli-error.ts';
import { jsonTerminal, type Terminal } from '../client/terminal.ts';
import { buildProgram } from './build-program.ts';

/** Runs one command line; the exit code is the answer. Never throws. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.done;
  const json = wantsJson(args);
  const done = (result: number) => {
    code = result;
  };
  const program = buildProgram(json ? jsonTerminal(terminal) : terminal, done, json);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    const failure = readFailure(error);
    // Commander has printed what it had to say, and gives 0 for --help and --version.
    if (failure.exit_code === EXIT.done) return EXIT.done;
    if (json) terminal.err(JSON.stringify({ error: failure }));
    else if (!(error instanceof CommanderError)) sayFailure(failure, terminal);
    return failure.exit_code;
  }
}

/** Options of what `run` runs come after its `--`. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

/** What went wrong, as `--json` prints it. */
interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly exit_code: number;
}

function readFailure(error: unknown): Failure {
  if (error instanceof CommanderError)
    return {
      code: 'usage',
      message: error.message.replace(/^error: /, ''),
      exit_code: error.exitCode === 0 ? EXIT.done : EXIT.usage,
    };
  if (error instanceof CliError) {
    const { code, message, hint, exit_code, details } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }), exit_code, ...details };
  }
  return readUnexpected(error);
}

/** A file that cannot be read is said plainly; anything else is a fault of planfleet, and needs its stack. */
function readUnexpected(error: unknown): Failure {
  const known = error instanceof Error && 'code' in error && 'path' in error;
  const message = error instanceof Error ? (!known && error.stack) || error.message : String(error);
  return known
    ? { code: String(error.code), message, exit_code: EXIT.usage }
    : { code: 'internal', message, exit_code: EXIT.unreachable };
}

function sayFailure({ message, hint }: Failure, terminal: Terminal): void {
  if (message !== '') terminal.err(`${terminal.paint.red('error:')} ${message}`);
  if (hint !== undefined) terminal.err(`  hint: ${hint}`);
}
