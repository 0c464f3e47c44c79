import * as z from 'zod';
import { batchPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

const answerSchema = z.looseObject({ state: z.string() });

export async function cancel(batchId: string, options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const path = batchPath(batchId, '/cancel');
  const client = await connect(options, terminal);
  const { raw, value } = await client.read(answerSchema, path, {}, 'POST');
  if (options.json) printJson(terminal, raw);
  else terminal.out(`Batch ${batchId} is ${value.state}.`);
  return EXIT.done;
}
