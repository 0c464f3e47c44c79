import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type FileView, fileViewSchema } from '@planfleet/shared-types';
import { type ApiClient, UnreachableError } from '../client/api-client.ts';
import { batchPath } from '../client/batch-path.ts';
import { CliError, EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { downloadFile, targetBelow } from '../client/download-file.ts';
import { formatSize } from '../client/format-size.ts';
import { printableLine } from '../client/printable-text.ts';
import { readPages } from '../client/read-pages.ts';
import { retryRequest } from '../client/retry-request.ts';
import { printJson, type Terminal } from '../client/terminal.ts';

/** The largest page that the control plane gives. */
const PAGE = 500;
/** Enough to hide the way to a far control plane, few enough for a small one. */
const AT_ONCE = 8;
/** When so many files in a row met no control plane, the rest would only wait as long for the same answer. */
const GIVE_UP_AFTER = 3;
const SHOWN_FAILURES = 10;

/** As the list shows it: without `./`, doubled slashes and a slash at the end; empty for all. */
export function cleanPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw usageError(`files get: "${path}" leads out of the batch`);
  return parts.join('/');
}

export interface Getting {
  readonly client: ApiClient;
  readonly batch_id: string;
  /** Of a file, or of a folder; empty: everything. */
  readonly path: string;
  readonly folder: string;
  readonly json: boolean;
  readonly terminal: Terminal;
}

interface Fetched {
  files: number;
  bytes: number;
  present: number;
  unreachable: number;
  readonly failed: { path: string; error: CliError }[];
}

/** Copies a file of a batch, or a folder of them, here. */
export async function getFiles(getting: Getting): Promise<ExitCode> {
  const { client, batch_id, path, terminal } = getting;
  const fetched: Fetched = { files: 0, bytes: 0, present: 0, unreachable: 0, failed: [] };
  const progress = await openProgress(terminal, fetched);
  try {
    const query = { limit: PAGE, prefix: path === '' ? undefined : path };
    for await (const page of readPages(client, fileViewSchema, batchPath(batch_id, '/files'), query)) {
      const wanted = page.value.items.filter((file) => isWanted(file.path, path));
      await eachAtOnce(wanted, (file) => fetchOne(getting, file, fetched));
    }
  } finally {
    progress.close();
  }
  return conclude(getting, fetched);
}

function isWanted(file: string, path: string): boolean {
  return path === '' || file === path || file.startsWith(`${path}/`);
}

/** A file keeps its name, a folder too, as `cp -r` does it. */
function placeOf(file: string, path: string): string {
  const parent = path.lastIndexOf('/') + 1;
  return path === '' ? file : file.slice(parent);
}

async function eachAtOnce<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** One that cannot be had does not keep the others away. */
async function fetchOne(getting: Getting, file: FileView, fetched: Fetched): Promise<void> {
  const { client, batch_id, path, folder, json, terminal } = getting;
  try {
    if (fetched.unreachable >= GIVE_UP_AFTER)
      throw new UnreachableError(EXIT.unreachable, 'not tried any more');
    const target = targetBelow(folder, placeOf(file.path, path));
    const isPresent = await hasContent(target, file);
    if (!isPresent) await retryRequest(() => downloadFile(client, batch_id, file, target));
    fetched.unreachable = 0;
    fetched.files += 1;
    fetched.bytes += file.size;
    if (isPresent) fetched.present += 1;
    const { size, sha256 } = file;
    if (json) printJson(terminal, { path: file.path, target, size, sha256, present: isPresent });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    fetched.unreachable = error instanceof UnreachableError ? fetched.unreachable + 1 : 0;
    fetched.failed.push({ path: file.path, error });
  }
}

/** Whether an earlier, interrupted call has brought it already. */
async function hasContent(target: string, file: FileView): Promise<boolean> {
  const found = await stat(target).catch(() => null);
  if (found === null || !found.isFile() || found.size !== file.size) return false;
  const hash = createHash('sha256');
  await pipeline(createReadStream(target), hash);
  return hash.digest('hex') === file.sha256;
}

async function openProgress(terminal: Terminal, fetched: Fetched): Promise<{ close(): void }> {
  const screen = await terminal.openScreen?.();
  if (screen === undefined) return { close: () => {} };
  const timer = setInterval(() => screen.draw([describeFetched(fetched)]), 200);
  return {
    close() {
      clearInterval(timer);
      screen.clear();
      screen.close();
    },
  };
}

function describeFetched({ files: count, bytes, present }: Fetched): string {
  const there = present === 0 ? '' : `, ${present} of them there already`;
  return `${count} ${count === 1 ? 'file' : 'files'}, ${formatSize(bytes)}${there}`;
}

function conclude({ path, folder, batch_id, json, terminal }: Getting, fetched: Fetched): ExitCode {
  const { failed } = fetched;
  if (fetched.files === 0 && failed.length === 0)
    throw usageError(
      path === '' ? `batch ${batch_id} has no files` : `batch ${batch_id} has no file or folder ${path}`,
      `planfleet files ${batch_id} lists what is there; a file is there once its task has succeeded.`,
    );
  if (!json && fetched.files > 0) {
    const place = relative(terminal.cwd, folder);
    const shown = place === '' ? 'this folder' : place.startsWith('..') ? folder : place;
    terminal.out(`${describeFetched(fetched)} in ${shown}`);
  }
  if (failed.length === 0) return EXIT.done;
  const lines = failed
    .slice(0, SHOWN_FAILURES)
    .map(({ path: name, error }) => `  ${printableLine(name, 200)}: ${printableLine(error.message, 500)}`);
  if (failed.length > SHOWN_FAILURES) lines.push(`  and ${failed.length - SHOWN_FAILURES} more`);
  const count = failed.length === 1 ? '1 file was' : `${failed.length} files were`;
  const codes = failed.map(({ error }) => error.exit_code);
  throw new CliError(
    codes.every((code) => code === EXIT.usage) ? EXIT.usage : EXIT.unreachable,
    [`${count} not fetched`, ...lines].join('\n'),
    {
      details: { failed: failed.map(({ path: name, error }) => ({ path: name, message: error.message })) },
      ...(fetched.files > 0 ? { hint: 'Once more fetches only those.' } : {}),
    },
  );
}
