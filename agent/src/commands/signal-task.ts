import { taskSignalledSchema } from '@planfleet/shared-types';
import { taskPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

/** `abort` and `kill`: the agent is told; when its processes are gone, the attempt has failed. */
export async function signalTask(
  action: 'abort' | 'kill',
  id: string,
  options: ServerOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = taskPath(id, `/${action}`);
  const client = await connect(options, terminal);
  const { raw, value } = await client.read(taskSignalledSchema, path, {}, 'POST');
  if (options.json) printJson(terminal, raw);
  else if (value.signal === 'stop')
    terminal.out(`${value.task} is being stopped already: its batch is cancelled.`);
  else terminal.out(`${value.agent} is told to ${value.signal} ${value.task}.`);
  return EXIT.done;
}
