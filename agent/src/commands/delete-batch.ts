import { batchViewSchema, deletedBatchSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { batchPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { printableLine } from '../client/printable-text.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface DeleteBatchOptions extends ServerOptions {
  yes?: boolean;
}

/** Removes an ended batch, after asking: nothing brings it back. */
export async function deleteBatch(
  batchId: string,
  options: DeleteBatchOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = batchPath(batchId);
  const { confirm } = terminal;
  if (options.yes !== true && (confirm === undefined || options.json === true))
    throw usageError('deleting cannot be undone, and nobody can be asked here', 'Say --yes.');
  const client = await connect(options, terminal);
  if (options.yes !== true && confirm !== undefined && !(await confirm(await question(client, batchId)))) {
    terminal.err('Nothing was deleted.');
    // What was to come after the deletion must not.
    return EXIT.interrupted;
  }
  const { raw } = await client.read(deletedBatchSchema, path, {}, 'DELETE');
  if (options.json) printJson(terminal, raw);
  else terminal.out(`Batch ${batchId} is deleted.`);
  return EXIT.done;
}

async function question(client: ApiClient, batchId: string): Promise<string> {
  const { plan_name, state, total } = await client.get(batchViewSchema, batchPath(batchId));
  const tasks = `${total} ${total === 1 ? 'task' : 'tasks'}`;
  return `Delete batch ${batchId} (${printableLine(plan_name, 60)}, ${state}, ${tasks}) for good?`;
}
