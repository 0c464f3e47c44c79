import { logEndEventSchema, logEventSchema, logGapEventSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { taskPath } from '../client/batch-path.ts';
import { CliError, EXIT, type ExitCode } from '../client/cli-error.ts';
import { followEvents } from '../client/follow-events.ts';
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
  const path = `${taskPath(id)}/logs`;
  const client = await connect(options, terminal);
  const query = { attempt: options.attempt };
  if (options.follow === true) await follow(client, path, { ...query, follow: 1 }, options, terminal);
  else await show(client, path, query, options, terminal);
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
  path: string,
  query: Record<string, number | undefined>,
  options: LogsOptions,
  terminal: Terminal,
): Promise<void> {
  const printer = new LogPrinter(terminal);
  await followEvents({
    client,
    path,
    query,
    onLost: () => terminal.err('The connection is lost; trying again.'),
    onEvent({ event, data }) {
      const body: unknown = JSON.parse(data);
      if (options.json) printJson(terminal, { event, ...(body as object) });
      if (event === 'end') {
        printer.end();
        const { attempt, outcome, message } = logEndEventSchema.parse(body);
        const what = attempt === null ? 'The task' : `Attempt ${attempt}`;
        const why = message === null ? '' : `: ${printableLine(message)}`;
        if (!options.json) terminal.err(terminal.paint.dim(`${what} ended: ${outcome}${why}`));
        return true;
      }
      if (options.json) return false;
      if (event === 'log') printer.text(logEventSchema.parse(body).text);
      if (event === 'gap') printer.gap(logGapEventSchema.parse(body).missing);
      return false;
    },
  });
}
