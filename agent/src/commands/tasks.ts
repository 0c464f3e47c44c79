import {
  batchViewSchema,
  findNearestName,
  TASK_STATES,
  type TaskView,
  taskViewSchema,
} from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { batchPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { hasEnded, stateWord } from '../client/format-progress.ts';
import { formatTable } from '../client/format-table.ts';
import { paintState } from '../client/paint.ts';
import { printableLine } from '../client/printable-text.ts';
import { readPages } from '../client/read-pages.ts';
import { readStages } from '../client/read-stages.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface TasksOptions extends ServerOptions {
  state?: string;
  stage?: string;
  limit?: number;
}

/** The largest page worth waiting for before the first line appears. */
const PAGE = 200;

/** All pages, one after the other; with `--json` one line for each. */
export async function tasks(batchId: string, options: TasksOptions, terminal: Terminal): Promise<ExitCode> {
  const { state, stage } = options;
  if (state !== undefined && !TASK_STATES.some((each) => each === state))
    throw usageError(`--state: there is no state "${state}"`, `The states: ${TASK_STATES.join(', ')}.`);
  const path = batchPath(batchId, '/tasks');
  const client = await connect(options, terminal);
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  let shown = 0;
  let ended: boolean | undefined;
  for await (const page of readPages(client, taskViewSchema, path, {
    state,
    stage,
    limit: Math.min(PAGE, limit),
  })) {
    const items = page.value.items.slice(0, limit - shown);
    shown += items.length;
    if (options.json) printJson(terminal, page.raw);
    else {
      // Whether what waits is still to come, the tasks themselves do not say.
      if (items.some((task) => task.state === 'waiting'))
        ended ??= hasEnded(await client.get(batchViewSchema, batchPath(batchId)));
      const rows = items.map((task) => row(task, ended === true, terminal));
      for (const line of formatTable(rows)) terminal.out(line);
    }
    if (shown >= limit) break;
  }
  if (shown === 0 && stage !== undefined) await requireStage(client, batchId, stage);
  if (shown === 0 && !options.json) terminal.err('No such tasks.');
  return EXIT.done;
}

/** No tasks of a stage that there is are an answer; a misspelt stage is none. */
async function requireStage(client: ApiClient, batchId: string, stage: string): Promise<void> {
  const keys = (await readStages(client, batchId)).stages.map(({ key }) => key);
  if (keys.includes(stage)) return;
  const nearest = findNearestName(stage, keys);
  throw usageError(
    `--stage: batch ${batchId} has no stage "${stage}"`,
    nearest === undefined ? `The stages: ${keys.join(', ')}.` : `Did you mean ${nearest}?`,
  );
}

function row(task: TaskView, ended: boolean, { paint }: Terminal) {
  const state = stateWord(task.state, ended);
  const where = task.agent === null ? '' : `on ${task.agent}`;
  const when = task.state === 'backoff' && task.not_before !== null ? `again at ${task.not_before}` : '';
  return [
    task.id,
    [state, paintState(paint, task.state, state)] as const,
    printableLine(task.name, 60),
    task.attempts === 0 ? '' : `${task.attempts} ${task.attempts === 1 ? 'attempt' : 'attempts'}`,
    where || when,
  ];
}
