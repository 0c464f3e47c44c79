import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Makes a folder appear whole or not at all: it is filled under another name and renamed. When somebody
 * else was faster (another agent on a shared disk) ours is discarded.
 */
export async function placeFolder(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  const draft = await mkdtemp(join(parent, `.${basename(target).slice(0, 100)}.`));
  try {
    await fill(draft);
    await rename(draft, target).catch(async (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'ENOTEMPTY' || error.code === 'EEXIST';
      if (!taken || !(await folderExists(target))) throw error;
    });
  } finally {
    // What cannot be cleaned up must not hide why the folder could not be filled.
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }
}

export async function folderExists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
