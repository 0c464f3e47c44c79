import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { createGunzip } from 'node:zlib';
import { type ReadEntry, x as unpack } from 'tar';
import { AttemptError } from './attempt.ts';

/** Two blocks of zeros. */
const END_BYTES = 1_024;

/** Unpacks a gzipped tar whose entries all stay inside the folder; refuses it as a whole otherwise. */
export async function unpackArchive(archive: string, folder: string, what: string): Promise<void> {
  let problem: string | null = null;
  const links = new Set<string>();
  try {
    await unpack({
      file: archive,
      cwd: folder,
      preserveOwner: false,
      strict: true,
      // The filter below refuses what leads out; without this a file named `c:x` loses its `c:`, which is an error.
      preservePaths: true,
      filter: (path, entry) => {
        if (!('type' in entry)) return true;
        problem ??= findEntryProblem(path, entry) ?? findLinkAbove(path, entry, links);
        return problem === null;
      },
      onReadEntry: (entry) => {
        // Never set-user-id; always readable and writable for its owner, so that it can be removed again.
        const isFolder = entry.type === 'Directory';
        entry.mode = ((entry.mode ?? 0o644) & 0o777) | (isFolder ? 0o700 : 0o600);
      },
    });
  } catch (error) {
    // An empty folder, packed by a program that writes no entry for it.
    if (problem === null && (await holdsNothing(archive))) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AttemptError('worker', `${what} cannot be unpacked: ${problem ?? reason}`, { cause: error });
  }
  if (problem !== null) throw new AttemptError('worker', `${what} is refused: ${problem}`);
}

function findEntryProblem(path: string, entry: ReadEntry): string | null {
  const name = JSON.stringify(path);
  if (posix.isAbsolute(path) || path.split('/').includes('..')) return `${name} leads out of the folder`;
  switch (entry.type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
    case 'Directory':
      return null;
    case 'SymbolicLink':
      return staysInside(path, entry.linkpath ?? '') ? null : `the link ${name} leads out of the folder`;
    default:
      return `${name} is neither a file, a folder nor a symbolic link (${entry.type})`;
  }
}

/**
 * Nothing is unpacked through a link of the archive: a link inside another folder than its path says could
 * lead further up than `staysInside` counts.
 */
function findLinkAbove(path: string, entry: ReadEntry, links: Set<string>): string | null {
  const steps = stepsOf(path);
  for (let depth = 1; depth < steps.length; depth++) {
    if (links.has(steps.slice(0, depth).join('/'))) return `${JSON.stringify(path)} leads through a link`;
  }
  if (entry.type === 'SymbolicLink') links.add(steps.join('/'));
  return null;
}

/** Whether an archive is whole and has no entry: nothing but the zeros of its end. */
async function holdsNothing(archive: string): Promise<boolean> {
  let size = 0;
  try {
    for await (const piece of createReadStream(archive).pipe(createGunzip())) {
      const bytes = piece as Buffer;
      if (bytes.some((byte) => byte !== 0)) return false;
      size += bytes.length;
    }
  } catch {
    return false;
  }
  return size >= END_BYTES;
}

function stepsOf(path: string): string[] {
  return path.split('/').filter((step) => step !== '' && step !== '.');
}

/**
 * `..` is allowed only at the beginning of a link and only up to the top: the folder a link stands in is
 * real, but one that it passes through may itself be a link, and `..` from there leads anywhere.
 */
function staysInside(path: string, target: string): boolean {
  if (target === '' || posix.isAbsolute(target)) return false;
  const steps = stepsOf(target);
  const ups = steps.findIndex((step) => step !== '..');
  const leading = ups === -1 ? steps.length : ups;
  const depth = stepsOf(path).length - 1;
  return leading <= depth && !steps.slice(leading).includes('..');
}
