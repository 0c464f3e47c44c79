import { batchRetriedSchema, taskRetriedSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { batchPath, namesTask, taskPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

const answerSchema = z.union([taskRetriedSchema, batchRetriedSchema]);

/** Everything that a batch gave up, or one task. */
export async function retry(id: string, options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const path = namesTask(id) ? taskPath(id, '/retry') : batchPath(id, '/retry');
  const client = await connect(options, terminal);
  const { raw, value } = await client.read(answerSchema, path, {}, 'POST');
  if (options.json) {
    printJson(terminal, raw);
    return EXIT.done;
  }
  const count = `${value.tasks} ${value.tasks === 1 ? 'task is' : 'tasks are'} tried again`;
  terminal.out('state' in value ? `Batch ${id} is ${value.state}: ${count}.` : `${value.task}: ${count}.`);
  return EXIT.done;
}
