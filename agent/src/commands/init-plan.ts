import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { planSkeleton } from '../client/plan-skeleton.ts';
import { quoteForShell } from '../client/quote-for-shell.ts';
import { printJson, type Terminal } from '../client/terminal.ts';

/** Makes the folder of a new plan; never touches one that is there. */
export async function initPlan(
  path: string,
  options: { json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const folder = resolve(terminal.cwd, path);
  const name = basename(folder);
  if (name === '' || /[\p{Cc}\p{Cs}]|^[\s#]|[\s#]$/u.test(name) || [...name].length > 100)
    throw usageError(
      `"${path}" cannot be the name of a plan`,
      'Up to 100 characters without control characters, like invoice_processor.',
    );
  await requireFree(folder, path);
  const skeleton = planSkeleton(name);
  for (const { path: file, text, runnable } of skeleton) {
    const target = join(folder, file);
    await mkdir(dirname(target), { recursive: true });
    // wx: two calls at once do not mix their files.
    await writeFile(target, text, { flag: 'wx' });
    if (runnable) await chmod(target, 0o755);
  }
  const shown = quoteForShell(relative(terminal.cwd, folder) || '.');
  if (options.json) printJson(terminal, { folder, files: skeleton.map((file) => file.path) });
  else {
    terminal.out(`${terminal.paint.green('made')} ${shown}: plan.md and ${skeleton.length - 1} scripts`);
    terminal.out(`  look at it  ${shown}/plan.md says in comments what each part does`);
    terminal.out(`  check it    planfleet validate ${shown}`);
    terminal.out(`  run it      planfleet submit ${shown} --watch`);
  }
  return EXIT.done;
}

async function requireFree(folder: string, path: string): Promise<void> {
  try {
    const found = await readdir(folder);
    if (found.length > 0)
      throw usageError(
        `${path} is there already and is not empty`,
        'Nothing was changed. Take another name.',
      );
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOTDIR') throw usageError(`${path} is a file already`, 'Take another name.');
    if (code !== 'ENOENT') throw error;
  }
}
