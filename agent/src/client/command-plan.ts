import { basename } from 'node:path';
import { quoteCommand } from './quote-command.ts';

export interface CommandPlan {
  readonly command: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly timeout_ms: number | null;
}

/** What the command leaves in it comes back with the batch; the command finds it in the variable OUTPUT. */
const OUTPUT_FOLDER = 'files';

/** A plan of one task that runs a command once; the id of the task tells which. */
export function buildCommandPlan(plan: CommandPlan): { markdown: string; task: string } {
  const task = taskId(plan.command[0] ?? '');
  const fields = [
    '- **task_class**: cpu',
    // Whoever types a command wants to see how it fails, not how it fails three times.
    '- **max_attempts**: 1',
    ...(plan.timeout_ms === null ? [] : [`- **timeout**: ${plan.timeout_ms / 1_000}s`]),
    ...(plan.labels.length === 0 ? [] : [`- **labels**: ${plan.labels.join(', ')}`]),
    '- **env**: OUTPUT={OUTPUT}',
    '- **command**:',
    '',
    '  ```bash',
    `  ${quoteCommand(plan.command, plan.variables)}`,
    '  ```',
  ];
  const inputs = ['## Inputs', '', `- **OUTPUT**: What it leaves (output folder, default: ${OUTPUT_FOLDER})`];
  const lines = ['# Plan: Command', '', ...inputs, '', '## Tasks', '', `### ${task}`, '', ...fields, ''];
  return { task, markdown: lines.join('\n') };
}

/** The name of the program, where it can be the id of a task. */
function taskId(program: string): string {
  const name = basename(program);
  return /^[A-Za-z][A-Za-z0-9_.-]{0,59}$/.test(name) && name !== 'none' ? name : 'command';
}
