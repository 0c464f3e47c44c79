import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Pack } from 'tar';
import type { FolderEntry } from './list-folder.ts';

export interface Packed {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  readonly files: number;
}

/** Without memory, so that a second name of the same file is packed as a file and not as a link to the first. */
class NoLinks extends Map<`${number}:${number}`, string> {
  override get(): undefined {
    return undefined;
  }
}

/**
 * A gzipped tar of these entries, the same bytes for the same content on every machine and day: its
 * sha256 is the version of a plan, and an input that is there already is not sent again. Times, owners,
 * and what umask did to the modes are left out; only the executable bit is kept.
 */
export async function packFolder(
  folder: string,
  entries: readonly FolderEntry[],
  targetFile: string,
): Promise<Packed> {
  const pack = new Pack({
    cwd: await realpath(folder),
    gzip: { level: 6 },
    portable: true,
    follow: true,
    strict: true,
    // Paths come from listFolder: always relative, and a file may well be called `c:x`.
    preservePaths: true,
    noDirRecurse: true,
    mtime: new Date(0),
    linkCache: new NoLinks(),
    onWriteEntry: (entry) => {
      if (entry.stat === undefined) return;
      const runnable = entry.type === 'Directory' || (entry.stat.mode & 0o100) !== 0;
      entry.stat.mode = runnable ? 0o755 : 0o644;
    },
  });
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  // Pack queues paths and reads them as the target takes them, so the list may be given at once.
  for (const entry of entries) pack.write(entry.path);
  // An archive without entries is no archive to most programs.
  if (entries.length === 0) pack.write('.');
  pack.end();
  await pipeline(
    pack as unknown as NodeJS.ReadableStream,
    measure,
    createWriteStream(targetFile, { mode: 0o600 }),
  );
  return {
    file: targetFile,
    sha256: hash.digest('hex'),
    size,
    files: entries.filter((entry) => entry.kind === 'file').length,
  };
}
