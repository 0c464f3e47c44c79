import { ApiError } from '@planfleet/shared-types';

/** What file systems allow for one name. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 1_024;

/** The paths of a bundle as they come in; each must be safe to unpack into an empty folder, in any order. */
export class BundlePaths {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  /** Takes a path as the tar writes it, and gives it back as `a/b`; empty for the folder itself. */
  add(name: string, isFolder: boolean): string {
    const names = splitPath(name);
    if (names.length === 0 && isFolder) return '';
    if (names.length === 0) throw refuseEntry('It holds a file without a name', name);
    const path = names.join('/');
    if (this.#files.has(path) || (!isFolder && this.#folders.has(path))) {
      throw refuseEntry('It holds the same path twice', name);
    }
    for (let depth = 1; depth < names.length; depth++) {
      const parent = names.slice(0, depth).join('/');
      if (this.#files.has(parent)) throw refuseEntry('It holds a file where it also has a folder', parent);
      this.#folders.add(parent);
    }
    (isFolder ? this.#folders : this.#files).add(path);
    return path;
  }

  files(): string[] {
    return [...this.#files].sort();
  }

  /** The one folder that everything is in, when the plan is in it. */
  folderWithPlan(): string | null {
    const tops = new Set([...this.#files, ...this.#folders].map((path) => path.split('/')[0] ?? ''));
    const [top] = tops;
    return tops.size === 1 && top !== undefined && this.#files.has(`${top}/plan.md`) ? top : null;
  }
}

function splitPath(name: string): string[] {
  if (name.startsWith('/')) {
    throw refuseEntry('It holds an absolute path', name, 'Pack relative to the plan folder: tar -C FOLDER .');
  }
  const names = name.split('/').filter((part) => part !== '' && part !== '.');
  const encoder = new TextEncoder();
  if (names.includes('..')) throw refuseEntry('It holds a path that leads out of the folder', name);
  if (name.includes('\0')) throw refuseEntry('It holds a path with a NUL character', name);
  const tooLong =
    encoder.encode(name).length > MAX_PATH_BYTES ||
    names.some((part) => encoder.encode(part).length > MAX_NAME_BYTES);
  if (tooLong) throw refuseEntry('It holds a path that is too long', name);
  return names;
}

function refuseEntry(
  message: string,
  name: string,
  hint = 'Leave it out, or give it another name.',
): ApiError {
  const entry = name.slice(0, 300);
  return new ApiError('invalid_bundle', `${message}: ${entry}`, { hint, details: { entry } });
}
