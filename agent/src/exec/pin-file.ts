import { createHash } from 'node:crypto';
import { constants, copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { Upload } from './attempt-order.ts';
import { readStamp } from './folder-cache.ts';
import { hashFile, type Ledgers } from './ledgers.ts';

/** Copied at once through memory; what is larger is copied only where the disk shares the blocks, at no cost. */
const MAX_COPY_BYTES = 32_000_000;

export interface Pinned {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * Fixes the content of an output for its report: tasks that start meanwhile may write on in the same file.
 * Null when it changes under our hands: then whoever writes it brings it.
 */
export async function pinFile(source: string, copy: string, stamp: string): Promise<Pinned | null> {
  const found = await stat(source).catch(() => null);
  if (found === null) return null;
  let file = copy;
  let sha256: string;
  if (found.size <= MAX_COPY_BYTES) {
    const content = await readFile(source);
    sha256 = createHash('sha256').update(content).digest('hex');
    // A full disk: then the output itself must do.
    await writeFile(copy, content, { mode: 0o600 }).catch(() => {
      file = source;
    });
  } else {
    await copyFile(source, copy, constants.COPYFILE_FICLONE_FORCE).catch(() => {
      file = source;
    });
    sha256 = await hashFile(file);
  }
  if (file === source) await rm(copy, { force: true }).catch(() => undefined);
  const size = Number(found.size);
  if ((await readStamp(source)) === stamp) return { file, sha256, size };
  await rm(copy, { force: true }).catch(() => undefined);
  return null;
}

/** Whether the content is the agent's own, and goes with the report. */
export function isCopy(upload: Upload): boolean {
  return upload.file !== upload.source;
}

/** Whether what is read for an upload is still what was hashed, as far as a look can tell. */
export async function isUnchanged(upload: Upload): Promise<boolean> {
  if (!isCopy(upload)) return (await readStamp(upload.source)) === upload.stamp;
  return (await stat(upload.file).catch(() => null))?.size === upload.size;
}

/** Hashes an output whose content is not what its report says, unless somebody who writes it will bring it. */
export async function pinAgain(ledgers: Ledgers, upload: Upload): Promise<Upload | null> {
  ledgers.unsettle(upload.source);
  if (ledgers.hasRunningWriter(upload.source)) return null;
  const stamp = await readStamp(upload.source);
  if (stamp === null) return null;
  const sha256 = await hashFile(upload.source).catch(() => null);
  const found = await stat(upload.source).catch(() => null);
  if (sha256 === null || found === null) return null;
  return { ...upload, file: upload.source, sha256, size: found.size, stamp };
}
