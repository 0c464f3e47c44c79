import { constants } from 'node:os';
import {
  type AttemptView,
  type BatchView,
  logEventSchema,
  logGapEventSchema,
  type TaskDetail,
  taskDetailSchema,
} from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { taskPath } from '../client/batch-path.ts';
import { EXIT } from '../client/cli-error.ts';
import { followLog } from '../client/follow-log.ts';
import { formatReason } from '../client/format-attempt.ts';
import { LogPrinter } from '../client/log-printer.ts';
import { printableLine } from '../client/printable-text.ts';
import { openView } from '../client/progress/open-view.ts';
import type { ProgressView } from '../client/progress/progress-view.ts';
import { retryRequest } from '../client/retry-request.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { watchBatch } from '../client/watch-batch.ts';
import { untilInterrupted } from '../client/watch-interruptible.ts';
import { sayFiles, sayGoesOn } from './follow-batch.ts';

export interface CommandBatch {
  readonly client: ApiClient;
  readonly batch_id: string;
  /** Id of its one task. */
  readonly task: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** The first looks come quickly: what is awaited has happened. */
const SOON_MS = 50;
const SILENT: ProgressView = { show: () => {}, notice: () => {}, close: () => {} };

/** The command of a batch as if it ran here: its output as it comes, then its exit code. */
export async function followCommand(command: CommandBatch): Promise<number> {
  const { client, batch_id, task, json, terminal } = command;
  if (!json) terminal.err(`Batch ${batch_id} submitted`);
  const batch = await untilInterrupted((signal) =>
    json ? watchBatch({ client, batch_id, view: SILENT, signal }) : showOutput(command, signal),
  );
  if (batch === null) return sayGoesOn(batch_id, [], terminal);
  const detail = await retryRequest(() => client.get(taskDetailSchema, taskPath(task)));
  const last = detail.history.filter((attempt) => !attempt.late).at(-1);
  if (json) printJson(terminal, { ...describeEnd(last), batch_id, task: detail.id, state: detail.state });
  else {
    sayEnd(detail, last, terminal);
    await sayFiles(client, batch_id, terminal);
  }
  return batch.state === 'succeeded' ? EXIT.done : exitCodeOf(last);
}

/** Prints the output, and what keeps it from beginning; null when `stop` came before the end. */
async function showOutput(command: CommandBatch, stop: AbortSignal): Promise<BatchView | null> {
  const { client, batch_id, terminal } = command;
  const view = closeOnce(await openView(terminal, { json: false, say: terminal.err, leave: false }));
  const printer = new LogPrinter(terminal);
  const begun = new AbortController();
  const failed = new AbortController();
  const begin = () => {
    view.close();
    begun.abort();
  };
  try {
    await Promise.all([
      watchBatch({ client, batch_id, view, signal: AbortSignal.any([stop, begun.signal]) }),
      printAttempts(command, { printer, begin, signal: AbortSignal.any([stop, failed.signal]) }),
    ]);
  } finally {
    failed.abort();
    begin();
    printer.end();
  }
  return watchBatch({ client, batch_id, view: SILENT, signal: stop, first_poll_ms: SOON_MS });
}

interface Printing {
  readonly printer: LogPrinter;
  readonly signal: AbortSignal;
  /** The first output is here. */
  begin(): void;
}

/** One attempt after the other: one that got lost with its machine is followed by another. */
async function printAttempts(
  { client, task, terminal }: CommandBatch,
  { printer, begin, signal }: Printing,
): Promise<void> {
  for (let attempt: number | undefined; ; ) {
    const end = await followLog({
      client,
      task,
      attempt,
      signal,
      onLost: () => terminal.err('The connection is lost; trying again.'),
      onEvent(event, body) {
        if (event !== 'end') begin();
        if (event === 'log') printer.text(logEventSchema.parse(body).text);
        // Not among the output: that may go into a file.
        if (event === 'gap') terminal.err(describeGap(logGapEventSchema.parse(body).missing, task));
      },
    });
    if (end === null || end.attempt === null) return;
    const { state } = await retryRequest(() => client.get(taskDetailSchema, taskPath(task)));
    if (OVER.includes(state)) return;
    const why = end.message === null ? '' : `: ${printableLine(end.message, 500)}`;
    terminal.err(`Attempt ${end.attempt} ended: ${end.outcome}${why}; the next one begins anew.`);
    attempt = end.attempt + 1;
  }
}

function describeGap(missing: number, task: string): string {
  return `[... ${missing} bytes missing, since it prints faster than can be shown; afterwards: planfleet logs ${task}]`;
}

const OVER: readonly string[] = ['succeeded', 'abandoned', 'skipped', 'cancelled'];

/** Closed twice, a view would wipe away what was printed since. */
function closeOnce(view: ProgressView): ProgressView {
  let open = true;
  return {
    show: (look) => (open ? view.show(look) : undefined),
    notice: (notice) => (open ? view.notice(notice) : undefined),
    close() {
      if (open) view.close();
      open = false;
    },
  };
}

/** The command's own, as ssh and a shell give it. */
function exitCodeOf(last: AttemptView | undefined): number {
  if (last === undefined || last.error_type === 'timeout') return EXIT.batch_failed;
  const signals: Readonly<Record<string, number>> = constants.signals;
  const signal = signals[last.signal ?? ''];
  if (signal !== undefined) return 128 + signal;
  return last.exit_code || EXIT.batch_failed;
}

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
  if (detail.state === 'succeeded') return;
  const reason = last === undefined ? detail.state : formatReason(last);
  terminal.err(`${terminal.paint.red(detail.state === 'cancelled' ? 'cancelled:' : 'failed:')} ${reason}`);
  terminal.err(`  more: planfleet task ${detail.id}`);
}
