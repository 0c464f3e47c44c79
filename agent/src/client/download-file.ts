import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FileView } from '@planfleet/shared-types';
import { type ApiClient, UnreachableError } from './api-client.ts';
import { batchPath } from './batch-path.ts';
import { CliError, EXIT, usageError } from './cli-error.ts';

/** Where a file goes in a folder. A task chose the path, so it must not lead out of what the user named. */
export function targetBelow(folder: string, path: string): string {
  const target = resolve(folder, path);
  const root = folder.endsWith(sep) ? folder : folder + sep;
  if (!target.startsWith(root) || path.startsWith('/') || path.includes('\0'))
    throw new CliError(EXIT.unreachable, `the batch has a file whose path leads out of its folder: ${path}`);
  return target;
}

/** Copies one file of a batch here: complete and as the task wrote it, or not at all. */
export async function downloadFile(
  client: ApiClient,
  batchId: string,
  file: FileView,
  target: string,
): Promise<void> {
  const encoded = file.path.split('/').map(encodeURIComponent).join('/');
  const response = await client.request('GET', batchPath(batchId, `/files/${encoded}`));
  await mkdir(dirname(target), { recursive: true });
  const temporary = join(
    dirname(target),
    `.${basename(target).slice(0, 100)}.${randomBytes(4).toString('hex')}.part`,
  );
  const hash = createHash('sha256');
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body as never);
    await pipeline(body, measure, createWriteStream(temporary));
    if (hash.digest('hex') !== file.sha256)
      throw new CliError(
        EXIT.unreachable,
        `${file.path} arrived damaged: its content is not what the task wrote`,
      );
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof CliError) throw error;
    const { message, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== undefined && syscall !== 'read') throw usageError(`cannot write ${target}: ${message}`);
    throw new UnreachableError(EXIT.unreachable, `the connection was cut while ${file.path} was read`, {
      cause: error,
    });
  }
}
