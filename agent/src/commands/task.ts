import { type AttemptView, type TaskDetail, taskDetailSchema } from '@planfleet/shared-types';
import { taskPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { formatItem, formatItems, formatReason, formatTail } from '../client/format-attempt.ts';
import { paintState } from '../client/paint.ts';
import { formatDuration } from '../client/parse-duration.ts';
import { printableLine, printableText } from '../client/printable-text.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

/** A screenful; `--json` has all that was kept. */
const TAIL_LINES = 40;

export async function task(id: string, options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const path = taskPath(id);
  const client = await connect(options, terminal);
  const { raw, value } = await client.read(taskDetailSchema, path);
  if (options.json) printJson(terminal, raw);
  else for (const line of describeTask(value, terminal)) terminal.out(line);
  return EXIT.done;
}

function describeTask(detail: TaskDetail, { paint }: Terminal): string[] {
  const lines = [`${paint.bold(detail.id)} ${printableLine(detail.name)} ${paintState(paint, detail.state)}`];
  if (detail.item !== null) lines.push(`  item     ${formatItem(detail.item)}`);
  if (detail.items !== undefined) lines.push(`  items    ${formatItems(detail.items)}`);
  if (detail.agent !== null) lines.push(`  agent    ${detail.agent}`);
  if (detail.progress !== null && detail.progress !== undefined) {
    const text = detail.progress_text ?? '';
    lines.push(`  progress ${Math.floor(detail.progress * 100)} % ${printableLine(text)}`.trimEnd());
  }
  if (detail.not_before !== null) lines.push(`  again    not before ${detail.not_before}`);
  if (typeof detail.child_batch === 'string') lines.push(`  child    ${detail.child_batch}`);
  if (detail.command !== null)
    lines.push(
      '  command',
      ...printableText(detail.command)
        .split('\n')
        .map((line) => `    ${line}`),
    );
  if (detail.history.length === 0) lines.push('  no attempt has ended yet');
  for (const attempt of detail.history) lines.push('', ...describeAttempt(attempt));
  return lines;
}

function describeAttempt(attempt: AttemptView): string[] {
  const began = attempt.started_at ?? attempt.claimed_at;
  const took = formatDuration(Date.parse(attempt.ended_at) - Date.parse(began));
  const late = attempt.late ? ' (came too late and changed nothing)' : '';
  const lines = [
    `attempt ${attempt.attempt}  ${attempt.outcome}${late} on ${printableLine(attempt.agent)}`,
    `  time     ${began} to ${attempt.ended_at}, ${took}`,
  ];
  if (attempt.outcome !== 'succeeded') lines.push(`  reason   ${formatReason(attempt)}`);
  const tail = formatTail(attempt, TAIL_LINES);
  if (tail.length > 0) lines.push('  output', ...tail);
  return lines;
}
