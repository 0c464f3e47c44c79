import { type BigIntStats, lstatSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A folder that changed so shortly before it was read may change again within one tick of the clock of a network disk. */
const SETTLED_NS = 2_000_000_000n;
/** Files looked at in one go: 3 ms, which no heartbeat feels. */
const FILES_PER_TURN = 500;

export interface FoundFile {
  readonly file: string;
  readonly stat: BigIntStats;
  /** When its content or its name last changed. */
  readonly changed: bigint;
}

interface Folder {
  readonly stamp: string;
  readonly names: readonly string[];
}

/**
 * Walks an output again and again: a folder is read anew only when it has changed. Its files are looked at
 * each time, since what is written into a file does not show on the folder, but synchronously: 5 µs each
 * instead of 60 µs through the thread pool.
 */
export class FolderCache {
  readonly #folders = new Map<string, Folder>();

  /**
   * The regular files at or below a path. A link to a file inside the batch counts as that file; a link to
   * a folder is not followed (it may lead in circles), nor is any link that leads out of the batch. `now` is
   * read from the clock of the file system.
   */
  async *walk(path: string, top: string, now: bigint): AsyncGenerator<FoundFile> {
    const pending = [path];
    let looked = 0;
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      looked += 1;
      if (looked % FILES_PER_TURN === 0) await nextTurn();
      const found = look(at);
      if (found === null) continue;
      if (found.isFile()) yield { file: at, stat: found, changed: found.ctimeNs };
      else if (found.isDirectory()) {
        const names = await this.#read(at, found, now);
        for (let index = names.length - 1; index >= 0; index--) pending.push(join(at, names[index] ?? ''));
      } else if (found.isSymbolicLink()) {
        const target = await followLink(at, top);
        if (target === null) continue;
        const changed = target.ctimeNs > found.ctimeNs ? target.ctimeNs : found.ctimeNs;
        yield { file: at, stat: target, changed };
      }
    }
  }

  async #read(folder: string, found: BigIntStats, now: bigint): Promise<readonly string[]> {
    const stamp = stampOf(found);
    const known = this.#folders.get(folder);
    if (known?.stamp === stamp) return known.names;
    const names = (await readdir(folder)).sort();
    if (now - found.ctimeNs > SETTLED_NS) this.#folders.set(folder, { stamp, names });
    else this.#folders.delete(folder);
    return names;
  }
}

/** Changes whenever the content may have: ctime cannot be set by programs. */
export function stampOf(found: BigIntStats): string {
  return `${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
}

export async function readStamp(file: string): Promise<string | null> {
  const found = await stat(file, { bigint: true }).catch(() => null);
  return found === null ? null : stampOf(found);
}

function look(path: string): BigIntStats | null {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
}

async function followLink(link: string, top: string): Promise<BigIntStats | null> {
  const target = await realpath(link).catch(() => null);
  if (target === null || !target.startsWith(top + sep)) return null;
  const found = await stat(target, { bigint: true }).catch(() => null);
  return found?.isFile() === true ? found : null;
}
