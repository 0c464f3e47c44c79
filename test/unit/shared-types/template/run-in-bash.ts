import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'planfleet-bash-'));
}

/**
 * Runs commands one after the other in one bash, so that hundreds of cases are cheap, and gives back
 * what each printed. `arg` prints how many arguments it got and each of them, NUL-terminated.
 */
export async function runInBash(
  folder: string,
  commands: readonly string[],
  locale = 'C.UTF-8',
): Promise<string[]> {
  const script = [
    `arg() { printf '%s\\0' "$#" "$@"; }`,
    ...commands.flatMap((command) => [command, `printf '\\0<<next>>\\0'`]),
  ].join('\n');
  const file = join(folder, 'script.sh');
  await writeFile(file, script);
  const { stdout } = await run('bash', [file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, LC_ALL: locale },
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: unknown) => {
    const shown = commands.join('\n---\n').slice(0, 20_000);
    throw new Error(`bash refused one of these:\n${shown}\n${String(error).slice(-500)}`);
  });
  return stdout.split('\0<<next>>\0').slice(0, -1);
}
