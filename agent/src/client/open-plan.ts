import { readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { usageError } from './cli-error.ts';
import { type FolderEntry, isLeftOutOfPlan, listFolder, pathKind } from './list-folder.ts';

/** A plan on this machine: its folder, or plan.md alone. */
export interface LocalPlan {
  readonly folder: string;
  /** The file with the text of the plan. */
  readonly plan_file: string;
  readonly entries: readonly FolderEntry[];
  /** The text, where plan.md was named without its folder. */
  readonly markdown: string | null;
}

/** Everything that can be wrong with the folder is found here, before anything is sent. */
export async function openPlan(path: string, cwd: string): Promise<LocalPlan> {
  const place = resolve(cwd, path);
  const kind = await pathKind(place);
  if (kind === null)
    throw usageError(
      `there is no plan at ${path}`,
      'Name a plan folder (with plan.md in it), or a plan.md file.',
    );
  if (kind === 'file') {
    if (!/\.(md|markdown)$/i.test(place))
      throw usageError(`${path} is not a plan`, 'Name a plan folder, or a file that ends in .md.');
    return {
      folder: dirname(place),
      plan_file: place,
      entries: [{ path: basename(place), kind: 'file' }],
      markdown: await readFile(place, 'utf8'),
    };
  }
  if ((await pathKind(join(place, 'plan.md'))) !== 'file')
    throw usageError(`there is no plan.md in ${path}`, 'A plan is a folder with plan.md in it.');
  const entries = await listFolder(place, isLeftOutOfPlan);
  return { folder: place, plan_file: join(place, 'plan.md'), entries, markdown: null };
}
