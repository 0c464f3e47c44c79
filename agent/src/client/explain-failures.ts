import {
  type BatchView,
  pageSchema,
  type TaskDetail,
  taskDetailSchema,
  taskViewSchema,
} from '@planfleet/shared-types';
import type { ApiClient } from './api-client.ts';
import { batchPath, taskPath } from './batch-path.ts';
import { formatItem, formatReason, formatTail } from './format-attempt.ts';
import type { Paint } from './paint.ts';
import { printableLine } from './printable-text.ts';
import { retryRequest } from './retry-request.ts';

/** More would scroll the first, which is most often the cause, off the screen. */
const SHOWN = 10;
const TAIL_LINES = 8;

/** Which task, on what, why: the lines that let a person act without looking anything up. */
export async function explainFailures(client: ApiClient, batch: BatchView, paint: Paint): Promise<string[]> {
  const page = await retryRequest(() =>
    client.get(pageSchema(taskViewSchema), batchPath(batch.id, '/tasks'), {
      query: { state: 'abandoned', limit: SHOWN },
    }),
  );
  const lines: string[] = [];
  const shown = page.items.slice(0, SHOWN);
  for (const { id } of shown) {
    const detail = await retryRequest(() => client.get(taskDetailSchema, taskPath(id)));
    lines.push(...explainTask(detail, paint), '');
  }
  const more = Math.max(0, batch.abandoned - shown.length);
  if (more > 0) lines.push(`${more} more: planfleet tasks ${batch.id} --state abandoned`);
  if (shown[0] !== undefined) lines.push(`Every attempt of one: planfleet task ${shown[0].id}`);
  return lines;
}

function explainTask(task: TaskDetail, paint: Paint): string[] {
  const last = task.history.filter((attempt) => !attempt.late).at(-1);
  const attempts = `${task.attempts} ${task.attempts === 1 ? 'attempt' : 'attempts'}`;
  const lines = [`${paint.red(printableLine(task.name))} failed after ${attempts}`];
  if (task.item !== null) lines.push(`  item    ${formatItem(task.item)}`);
  if (last === undefined) return lines;
  lines.push(`  agent   ${printableLine(last.agent)}`, `  reason  ${formatReason(last)}`);
  const tail = formatTail(last, TAIL_LINES);
  if (tail.length > 0) lines.push('  output', ...tail);
  return lines;
}
