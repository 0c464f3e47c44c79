import { posix } from 'node:path';
import { type ReadEntry, x as unpack } from 'tar';
import { AttemptError } from './attempt.ts';

/** Unpacks a gzipped tar whose entries all stay inside the folder; refuses it as a whole otherwise. */
export async function unpackArchive(archive: string, folder: string, what: string): Promise<void> {
  let problem: string | null = null;
  try {
    await unpack({
      file: archive,
      cwd: folder,
      preserveOwner: false,
      strict: true,
      filter: (path, entry) => {
        if (!('type' in entry)) return true;
        problem ??= findEntryProblem(path, entry);
        return problem === null;
      },
      onReadEntry: (entry) => {
        // Never set-user-id; always readable and writable for its owner, so that it can be removed again.
        const isFolder = entry.type === 'Directory';
        entry.mode = ((entry.mode ?? 0o644) & 0o777) | (isFolder ? 0o700 : 0o600);
      },
    });
  } catch (error) {
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
 * `..` is allowed only at the beginning of a link and only up to the top: the folder a link stands in is
 * real, but one that it passes through may itself be a link, and `..` from there leads anywhere.
 */
function staysInside(path: string, target: string): boolean {
  if (target === '' || posix.isAbsolute(target)) return false;
  const steps = target.split('/').filter((step) => step !== '' && step !== '.');
  const ups = steps.findIndex((step) => step !== '..');
  const leading = ups === -1 ? steps.length : ups;
  const depth = path.split('/').filter((step) => step !== '' && step !== '.').length - 1;
  return leading <= depth && !steps.slice(leading).includes('..');
}
