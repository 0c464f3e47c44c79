import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { type ArtifactStore, ArtifactStoreError, DigestMismatchError } from '../artifact-store.ts';

/** Files left by a process that died while one arrived. No upload takes a day. */
const LEFTOVER_MS = 24 * 60 * 60 * 1_000;

/**
 * Artifacts as files, `ab/cdef...` by their hash. A file is written under another name, flushed, and then renamed,
 * so that neither a crash nor a loss of power leaves half a blob under a good name.
 */
export async function openDirectoryStore(folder: string, now: number): Promise<ArtifactStore> {
  const arriving = join(folder, 'arriving');
  await mkdir(arriving, { recursive: true, mode: 0o700 });
  await removeLeftovers(arriving, now);
  const pathOf = (sha256: string) => join(folder, sha256.slice(0, 2), sha256.slice(2));

  return {
    async has(sha256s) {
      const found = await Promise.all(
        sha256s.map(async (sha256) => (await isFile(pathOf(sha256))) && sha256),
      );
      return new Set(found.filter((sha256) => sha256 !== false));
    },

    async put(sha256, content, size) {
      const temporary = join(arriving, randomUUID());
      try {
        await writeVerified(temporary, content, sha256, size);
        const path = pathOf(sha256);
        await guardStore(async () => {
          await mkdir(dirname(path), { recursive: true, mode: 0o700 });
          await rename(temporary, path);
          await flushFolder(dirname(path));
          await flushFolder(folder);
        });
      } finally {
        await rm(temporary, { force: true });
      }
    },

    async get(sha256) {
      const handle = await openOrNull(pathOf(sha256));
      if (handle === null) return null;
      const { size } = await handle.stat();
      const stream = Readable.toWeb(handle.createReadStream()) as ReadableStream<Uint8Array>;
      return { size, stream };
    },

    async delete(sha256) {
      await guardStore(() => rm(pathOf(sha256), { force: true }));
    },
  };
}

/** Errors of `content` (the sender went away, the body is too large) pass through as they are. */
async function writeVerified(
  file: string,
  content: ReadableStream<Uint8Array>,
  sha256: string,
  size: number | null,
): Promise<void> {
  const handle = await guardStore(() => open(file, 'wx', 0o600));
  try {
    const hash = createHash('sha256');
    let written = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      await guardStore(() => handle.writeFile(chunk));
      written += chunk.byteLength;
    }
    const digest = hash.digest('hex');
    if (digest !== sha256) throw new DigestMismatchError(`What arrived has the sha256 ${digest}.`);
    if (size !== null && written !== size)
      throw new DigestMismatchError(`${written} bytes arrived, not ${size}.`);
    await guardStore(() => handle.sync());
  } finally {
    await handle.close();
  }
}

async function guardStore<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new ArtifactStoreError('The artifact folder cannot be written.', { cause: error });
  }
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw new ArtifactStoreError('The artifact folder cannot be read.', { cause: error });
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw new ArtifactStoreError('The artifact folder cannot be read.', { cause: error });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** The name of a new file is safe on disk only once its folder is. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeLeftovers(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (found !== null && now - found.mtimeMs > LEFTOVER_MS) await rm(path, { force: true });
  }
}
