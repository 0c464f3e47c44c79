import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Randomness } from './agent-deps.ts';

/**
 * The random id kept in a file, made at first use. Many may do this at once on a shared disk: the id is
 * written apart and linked into place, so that the file is whole from its first moment and the first wins.
 */
export async function readIdentity(folder: string, name: string, randomness: Randomness): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, name);
  const known = await readId(file);
  if (known !== null) return known;
  const draft = `${file}.${randomness.id()}`;
  await writeFile(draft, `${randomness.id()}\n`, { flag: 'wx', flush: true });
  try {
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  const id = await readId(file);
  if (id === null) throw new Error(`${file} does not hold an id; remove it if nothing uses it`);
  return id;
}

async function readId(file: string): Promise<string | null> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    return /^[0-9a-f]{32}$/.test(text) ? text : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
