import { batchStateSchema } from '@planfleet/shared-types';
import { batchPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode } from '../client/cli-error.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

/** `pause` and `resume`. */
export async function pause(
  action: 'pause' | 'resume',
  batchId: string,
  options: ServerOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = batchPath(batchId, `/${action}`);
  const client = await connect(options, terminal);
  const { raw, value } = await client.read(batchStateSchema, path, {}, 'POST');
  if (options.json) printJson(terminal, raw);
  else terminal.out(`Batch ${batchId} is ${value.state}.`);
  return EXIT.done;
}
