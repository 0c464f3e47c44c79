import { CommanderError } from 'commander';
import { CliError, EXIT } from '../client/cli-error.ts';
import type { Terminal } from '../client/terminal.ts';
import { buildProgram } from './build-program.ts';

/** Runs one command line; the exit code is the answer. Never throws. */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  let code: number = EXIT.done;
  const program = buildProgram(terminal, (result) => {
    code = result;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed what it had to say, and gives 0 for --help and --version.
      return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    }
    if (error instanceof CliError) {
      if (error.message !== '') terminal.err(`${terminal.paint.red('error:')} ${error.message}`);
      if (error.hint !== undefined) terminal.err(`  hint: ${error.hint}`);
      return error.exit_code;
    }
    return reportUnexpected(error, terminal);
  }
}

/** A file that cannot be read is said plainly; anything else is a fault of planfleet, and needs its stack. */
function reportUnexpected(error: unknown, terminal: Terminal): number {
  const known = error instanceof Error && 'code' in error && 'path' in error;
  const text = error instanceof Error ? (!known && error.stack) || error.message : String(error);
  terminal.err(`${terminal.paint.red('error:')} ${text}`);
  return known ? EXIT.usage : EXIT.unreachable;
}
