import type { ProcessExit } from './process-runner.ts';

/** What the shell means by these; plans meet them often, and the numbers say nothing. */
const MEANINGS: Readonly<Record<number, string>> = {
  126: 'a program in it could not be executed',
  127: 'a program in it was not found',
  137: 'a program in it was killed (SIGKILL), often for lack of memory',
};

/** One sentence on how a process failed; null when it did not. */
export function describeExit(exit: ProcessExit, what: string, timeoutMs: number | null): string | null {
  return withSurvivors(describeEnd(exit, what, timeoutMs), exit.survivors);
}

function describeEnd(exit: ProcessExit, what: string, timeoutMs: number | null): string | null {
  if (exit.start_error !== null) return `${what} could not be started: ${exit.start_error}`;
  if (exit.timed_out) return `${what} ran longer than its timeout of ${formatDuration(timeoutMs ?? 0)}`;
  if (exit.signal !== null) {
    const hint = exit.signal === 'SIGKILL' ? ', often for lack of memory' : '';
    return `${what} was killed by ${exit.signal}${hint}`;
  }
  if (exit.exit_code === 0) return null;
  const meaning = MEANINGS[exit.exit_code ?? -1];
  return `${what} ended with exit code ${exit.exit_code}${meaning === undefined ? '' : `: ${meaning}`}`;
}

function withSurvivors(text: string | null, survivors: readonly number[]): string | null {
  if (survivors.length === 0) return text;
  return `${text ?? 'The command succeeded'}; processes that could not be ended: ${survivors.slice(0, 20).join(', ')}`;
}

function formatDuration(ms: number): string {
  if (ms % 3_600_000 === 0 && ms > 0) return `${ms / 3_600_000} h`;
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000} min`;
  return `${ms / 1_000} s`;
}
