import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { findPlaceholders } from '@planfleet/shared-types';
import { type Attempt, AttemptError } from './attempt.ts';

/** As many as one report can name. */
const MAX_FILES = 10_000;

/**
 * The files behind the outputs that the command names, hashed, for the report. What the control plane
 * has been told before with the same content is left out.
 */
export async function listFiles(attempt: Attempt): Promise<void> {
  const { spec, shop } = attempt;
  if (spec.command === null) return;
  const named = new Set(findPlaceholders(spec.command).map((placeholder) => placeholder.name));
  const listed = new Set<string>();
  for (const [name, binding] of Object.entries(spec.inputs)) {
    if (!named.has(name)) continue;
    if (binding.kind !== 'output_file' && binding.kind !== 'output_folder') continue;
    const path = attempt.values.variables[name];
    if (path === undefined) continue;
    const top = await realpath(attempt.batch_path);
    for await (const file of findFiles(path, top)) {
      attempt.ending.signal.throwIfAborted();
      if (listed.has(file)) continue;
      listed.add(file);
      if (attempt.files.length >= MAX_FILES) {
        throw new AttemptError('worker', `${path} holds more than ${MAX_FILES} files; pack them into one`);
      }
      await addFile(attempt, file, top);
    }
  }

  async function addFile(owner: Attempt, file: string, top: string): Promise<void> {
    const found = await stat(file, { bigint: true });
    const sha256 = await shop.digests.digest(file, found);
    if (shop.digests.isTold(file, sha256)) return;
    const size = Number(found.size);
    const path = relative(top, join(await realpathOfFolder(file), file.slice(file.lastIndexOf(sep) + 1)));
    owner.files.push({ path: path.split(sep).join('/'), sha256, size, mode: Number(found.mode) & 0o777 });
    owner.uploads.push({ file, sha256, size });
  }
}

function realpathOfFolder(file: string): Promise<string> {
  return realpath(file.slice(0, file.lastIndexOf(sep)));
}

/**
 * The regular files at or below a path. A link to a file inside the batch counts as that file; a link to a
 * folder is not followed (it may lead in circles), nor is any link that leads out of the batch.
 */
async function* findFiles(path: string, top: string): AsyncGenerator<string> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (found.isFile()) yield path;
  else if (found.isDirectory()) {
    for (const name of (await readdir(path)).sort()) yield* findFiles(join(path, name), top);
  } else if (found.isSymbolicLink()) {
    const target = await realpath(path).catch(() => null);
    if (target?.startsWith(top + sep) && (await stat(target)).isFile()) yield path;
  }
}
