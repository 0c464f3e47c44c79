import {
  type AttemptView,
  diagnosticSchema,
  type Submitted,
  submittedSchema,
  type TaskDetail,
  taskDetailSchema,
} from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { taskPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { buildCommandPlan } from '../client/command-plan.ts';
import { formatReason } from '../client/format-attempt.ts';
import { parseDuration } from '../client/parse-duration.ts';
import { printableLine, printableText } from '../client/printable-text.ts';
import { openView } from '../client/progress/open-view.ts';
import type { ProgressView } from '../client/progress/progress-view.ts';
import { retryRequest } from '../client/retry-request.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { watchCommand } from '../client/watch-command.ts';
import { watchInterruptible } from '../client/watch-interruptible.ts';
import { connect, type ServerOptions } from './connect.ts';
import { sayFiles, sayGoesOn } from './follow-batch.ts';

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

/** One command as a batch of one task. Its output is all that standard output gets. */
export async function run(
  command: readonly string[],
  options: RunOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const plan = buildCommandPlan({
    command: readCommand(command),
    variables: readVariables(options.env ?? []),
    labels: readLabels(options.label ?? []),
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
  return follow({ client, batch_id: value.batch_id, task: plan.task, json: options.json === true, terminal });
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

function readLabels(texts: readonly string[]): string[] {
  const labels = texts.flatMap((text) => text.split(',')).map((label) => label.trim());
  const wrong = labels.find((label) => !/^[A-Za-z0-9][\w.-]*$/.test(label));
  if (wrong !== undefined)
    throw usageError(`--label "${wrong}" cannot be a label`, 'Letters, digits, dots and dashes, like a100.');
  return [...new Set(labels)];
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

interface Following {
  readonly client: ApiClient;
  readonly batch_id: string;
  readonly task: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

async function follow({ client, batch_id, task, json, terminal }: Following): Promise<ExitCode> {
  if (!json) terminal.err(`Batch ${batch_id} submitted`);
  const view = json ? SILENT : await openView(terminal, { json, say: terminal.err, leave: false });
  const batch = await watchInterruptible({ client, batch_id, view });
  if (batch === null) return sayGoesOn(batch_id, [], terminal);
  const id = `${batch_id}:${task}`;
  const detail = await retryRequest(() => client.get(taskDetailSchema, taskPath(id)));
  const last = detail.history.filter((attempt) => !attempt.late).at(-1);
  if (json) printJson(terminal, { ...describeEnd(last), batch_id, task: detail.id, state: detail.state });
  else {
    sayEnd(detail, last, terminal);
    await sayFiles(client, batch_id, terminal);
  }
  return batch.state === 'succeeded' ? EXIT.done : EXIT.batch_failed;
}

const SILENT: ProgressView = { show: () => {}, notice: () => {}, close: () => {} };

function describeEnd(last: AttemptView | undefined) {
  return {
    agent: last?.agent ?? null,
    outcome: last?.outcome ?? null,
    exit_code: last?.exit_code ?? null,
    signal: last?.signal ?? null,
    message: last?.message ?? null,
    started_at: last?.started_at ?? null,
    ended_at: last?.ended_at ?? null,
    output: last?.tail ?? '',
  };
}

function sayEnd(detail: TaskDetail, last: AttemptView | undefined, terminal: Terminal): void {
  const output = last?.tail ?? '';
  // In a pipe it is for a program, which gets it as it was.
  const text = terminal.openScreen === undefined ? output : printableText(output);
  if (text !== '') terminal.out(text.replace(/\n$/, ''));
  if (detail.state === 'succeeded') return;
  const reason = last === undefined ? detail.state : formatReason(last);
  terminal.err(`${terminal.paint.red(detail.state === 'cancelled' ? 'cancelled:' : 'failed:')} ${reason}`);
  terminal.err(`  more: planfleet task ${detail.id}`);
}
