import { logEventSchema, logGapEventSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { taskPath } from '../client/batch-path.ts';
import { CliError, EXIT, type ExitCode } from '../client/cli-error.ts';
import { followLog } from '../client/follow-log.ts';
import { LogPrinter } from '../client/log-printer.ts';
import { printableLine } from '../client/printable-text.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface LogsOptions extends ServerOptions {
  follow?: boolean;
  attempt?: number;
}

/** The output of a task: what there is, or as it comes until the attempt ends. */
export async function logs(id: string, options: LogsOptions, terminal: Terminal): Promise<ExitCode> {
  const path = taskPath(id, '/logs');
  const client = await connect(options, terminal);
  if (options.follow === true) await follow(client, id, options, terminal);
  else await show(client, path, { attempt: options.attempt }, options, terminal);
  return EXIT.done;
}

async function show(
  client: ApiClient,
  path: string,
  query: Record<string, number | undefined>,
  options: LogsOptions,
  terminal: Terminal,
): Promise<void> {
  const response = await client.request('GET', path, { query });
  const printer = new LogPrinter(terminal);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const print = (text: string) => {
    if (text === '') return;
    if (options.json) printJson(terminal, { event: 'log', text });
    else printer.text(text);
  };
  try {
    for await (const piece of response.body ?? []) print(decoder.decode(piece, { stream: true }));
  } catch (error) {
    printer.end();
    throw new CliError(EXIT.unreachable, 'the connection was cut before the end of the log', {
      cause: error,
    });
  }
  print(decoder.decode());
  printer.end();
}

async function follow(
  client: ApiClient,
  task: string,
  options: LogsOptions,
  terminal: Terminal,
): Promise<void> {
  const printer = new LogPrinter(terminal);
  const end = await followLog({
    client,
    task,
    attempt: options.attempt,
    onLost: () => terminal.err('The connection is lost; trying again.'),
    onEvent(event, body) {
      if (options.json) printJson(terminal, { event, ...body });
      else if (event === 'log') printer.text(logEventSchema.parse(body).text);
      else if (event === 'gap') printer.gap(logGapEventSchema.parse(body).missing);
    },
  });
  printer.end();
  if (end === null || options.json) return;
  const { attempt, outcome, message } = end;
  const what = attempt === null ? 'The task' : `Attempt ${attempt}`;
  const why = message === null ? '' : `: ${printableLine(message)}`;
  terminal.err(terminal.paint.dim(`${what} ended: ${outcome}${why}`));
}
