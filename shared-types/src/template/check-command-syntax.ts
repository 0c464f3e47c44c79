import type { CommandProblem } from './command-parts.ts';
import { scanCommand } from './scan-command.ts';

/** The first quote, parenthesis, brace or here-document of a bash command that is never closed. */
export function checkCommandSyntax(command: string): CommandProblem | null {
  return scanCommand(command).problem;
}
