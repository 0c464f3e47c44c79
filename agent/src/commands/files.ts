import { resolve } from 'node:path';
import { fileViewSchema } from '@planfleet/shared-types';
import type { ApiClient } from '../client/api-client.ts';
import { batchPath } from '../client/batch-path.ts';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { formatSize } from '../client/format-size.ts';
import { formatTable } from '../client/format-table.ts';
import { printableLine } from '../client/printable-text.ts';
import { readPages } from '../client/read-pages.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';
import { cleanPath, type Getting, getFiles } from './get-files.ts';

export interface FilesOptions extends ServerOptions {
  prefix?: string;
}

/** The largest page that the control plane gives. */
const PAGE = 500;

/** Lists the files of a batch, or with `get` copies one of them or a folder of them here. */
export async function files(
  batchId: string,
  args: { action?: string | undefined; path?: string | undefined; folder?: string | undefined },
  options: FilesOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  batchPath(batchId);
  const { action, path, folder } = args;
  if (action === undefined) {
    await list(await connect(options, terminal), batchId, options, terminal);
    return EXIT.done;
  }
  if (action !== 'get')
    throw usageError(`files: "${action}" is not known`, `planfleet files ${batchId} get PATH [DIR]`);
  if (path === undefined)
    throw usageError(
      'files get: the path is missing',
      `planfleet files ${batchId} lists them; "get ." copies all of them.`,
    );
  if (options.prefix !== undefined) throw usageError('--prefix is for the list; name the folder after get');
  const getting: Getting = {
    client: await connect(options, terminal),
    batch_id: batchId,
    path: cleanPath(path),
    folder: resolve(terminal.cwd, folder ?? '.'),
    json: options.json === true,
    terminal,
  };
  return getFiles(getting);
}

async function list(
  client: ApiClient,
  batchId: string,
  options: FilesOptions,
  terminal: Terminal,
): Promise<void> {
  let shown = 0;
  const query = { limit: PAGE, prefix: options.prefix };
  for await (const page of readPages(client, fileViewSchema, batchPath(batchId, '/files'), query)) {
    shown += page.value.items.length;
    if (options.json) {
      printJson(terminal, page.raw);
      continue;
    }
    const rows = page.value.items.map((file) => [
      formatSize(file.size).padStart(7),
      printableLine(file.path, 4_096),
      terminal.paint.dim(file.task),
    ]);
    for (const line of formatTable(rows)) terminal.out(line);
  }
  if (shown > 0 || options.json) return;
  terminal.err(
    options.prefix === undefined
      ? 'No files yet. Those of a task are there when it has succeeded.'
      : `No file of this batch begins with ${options.prefix}`,
  );
}
