import { diagnosticSchema, type Submitted, submittedSchema } from '@planfleet/shared-types';
import { EXIT, usageError } from '../client/cli-error.ts';
import { buildCommandPlan } from '../client/command-plan.ts';
import { parseDuration } from '../client/parse-duration.ts';
import { printableLine } from '../client/printable-text.ts';
import { readLabels } from '../client/read-labels.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { watchCommand } from '../client/watch-command.ts';
import { connect, type ServerOptions } from './connect.ts';
import { followCommand } from './follow-command.ts';

export interface RunOptions extends ServerOptions {
  name?: string;
  label?: string[];
  env?: string[];
  timeout?: string;
  priority?: number;
  detach?: boolean;
}

/** As many characters as a list of batches shows of a name, and some. */
const LONGEST_NAME = 100;

/** One command as a batch of one task. Its output is all that standard output gets, and its exit code is the answer. */
export async function run(
  command: readonly string[],
  options: RunOptions,
  terminal: Terminal,
): Promise<number> {
  const plan = buildCommandPlan({
    command: readCommand(command),
    variables: readVariables(options.env ?? []),
    labels: readLabels('--label', options.label ?? []),
    timeout_ms: readTimeout(options.timeout),
  });
  const client = await connect(options, terminal);
  const name = options.name ?? (printableLine(command.join(' '), LONGEST_NAME) || 'command');
  const { raw, value } = await client.read(
    submittedSchema,
    '/v1/batches',
    {
      body: plan.markdown,
      headers: { 'content-type': 'text/markdown' },
      query: { name, priority: options.priority },
    },
    'POST',
  );
  sayWarnings(value, terminal);
  if (options.detach === true) {
    if (options.json) printJson(terminal, raw);
    else sayDetached(value.batch_id, terminal);
    return EXIT.done;
  }
  const { batch_id } = value;
  const task = `${batch_id}:${plan.task}`;
  return followCommand({ client, batch_id, task, json: options.json === true, terminal });
}

function readCommand(command: readonly string[]): readonly string[] {
  if (command[0] === '')
    throw usageError('the command has an empty name', 'Write it like: planfleet run -- python3 train.py');
  return command;
}

function readVariables(texts: readonly string[]): Record<string, string> {
  const variables = texts.map((text) => {
    const at = text.indexOf('=');
    if (at < 1 || !/^[A-Za-z_]\w*$/.test(text.slice(0, at)))
      throw usageError(`--env ${text}: it is KEY=VALUE`, 'Write it like --env MODE=fast.');
    return [text.slice(0, at), text.slice(at + 1)] as const;
  });
  return Object.fromEntries(variables);
}

function readTimeout(text: string | undefined): number | null {
  if (text === undefined) return null;
  const ms = parseDuration(text, '--timeout');
  if (ms <= 0) throw usageError(`--timeout: "${text}" leaves no time`, 'Write it like 90s, 20m or 6h.');
  return ms;
}

/** Of the plan that was made here nobody knows a line, so only what is wrong is said. */
function sayWarnings({ diagnostics }: Submitted, terminal: Terminal): void {
  for (const each of diagnostics) {
    const parsed = diagnosticSchema.safeParse(each);
    if (parsed.success) terminal.err(`warning: ${printableLine(parsed.data.message, 500)}`);
  }
}

function sayDetached(batchId: string, terminal: Terminal): void {
  terminal.out(`Batch ${terminal.paint.bold(batchId)} submitted`);
  terminal.out(`Watch it: ${watchCommand(batchId, [])}`);
}
