import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { usageError } from './cli-error.ts';

/** Relative to the folder, with `/`. */
export interface FolderEntry {
  readonly path: string;
  readonly kind: 'file' | 'folder';
}

/** What of a plan folder does not belong to the plan: results of batches, and what Setup installs. */
export function isLeftOutOfPlan(path: string): boolean {
  if (path === 'history') return true;
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name === '.git' || name === 'node_modules';
}

/**
 * Everything in a folder, sorted by path. A symbolic link to a file of the same folder counts as that
 * file; any other would be something else on the machine that runs the tasks, so it is an error now.
 */
export async function listFolder(
  folder: string,
  leaveOut: (path: string) => boolean = () => false,
): Promise<FolderEntry[]> {
  const root = await realpath(folder);
  const entries: FolderEntry[] = [];
  const pending = [''];
  for (let parent = pending.pop(); parent !== undefined; parent = pending.pop()) {
    for (const found of await readdir(join(root, parent), { withFileTypes: true })) {
      const path = parent === '' ? found.name : `${parent}/${found.name}`;
      if (leaveOut(path)) continue;
      if (found.isDirectory()) {
        entries.push({ path, kind: 'folder' });
        pending.push(path);
      } else if (found.isFile()) entries.push({ path, kind: 'file' });
      else if (found.isSymbolicLink()) {
        await checkLink(root, path);
        entries.push({ path, kind: 'file' });
      } else
        throw usageError(
          `${join(folder, path)} is neither a file nor a folder`,
          'Pipes, sockets and devices do not travel.',
        );
    }
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function checkLink(root: string, path: string): Promise<void> {
  const link = join(root, path);
  let target: string;
  try {
    target = await realpath(link);
  } catch {
    throw usageError(`the link ${link} leads nowhere`, 'Remove it, or make what it names.');
  }
  if (relative(root, target).split(sep)[0] === '..')
    throw usageError(
      `the link ${link} leads out of the folder, to ${target}`,
      'Only links to files of the same folder travel; copy the file in instead.',
    );
  if (!(await stat(target)).isFile())
    throw usageError(`the link ${link} leads to a folder`, 'Only links to files travel.');
}

/** What a path names, or null. */
export async function pathKind(path: string): Promise<'file' | 'folder' | null> {
  try {
    await lstat(path);
    const found = await stat(path);
    if (found.isDirectory()) return 'folder';
    return found.isFile() ? 'file' : null;
  } catch {
    return null;
  }
}
