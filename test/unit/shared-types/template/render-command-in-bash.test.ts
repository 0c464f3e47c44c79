import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderCommand } from '../../../../shared-types/src/index.ts';
import { type BashContext, bashContexts } from './bash-contexts.ts';
import { nastyValue, nastyValues } from './nasty-values.ts';

const run = promisify(execFile);
const separator = '\0<<next>>\0';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planfleet-bash-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs one command for each value in one bash, and gives back what each received. */
async function receive(commands: readonly string[], locale: string): Promise<string[]> {
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
  });
  return stdout.split(separator).slice(0, -1);
}

function expected(context: BashContext, value: string): string {
  const received = context.arrives(value);
  return context.raw
    ? received.join('\0') + (context.command.endsWith('\narg') ? '\0' : '')
    : `${received.join('\0')}\0`;
}

async function compare(context: BashContext, values: readonly string[], locale: string): Promise<void> {
  const commands = values.map((X) => renderCommand(context.command, { variables: { X } }));
  const received = await receive(commands, locale).catch((error: unknown) => {
    throw new Error(
      `bash refused one of these:\n${commands.join('\n---\n').slice(0, 20_000)}\n${String(error).slice(-500)}`,
    );
  });
  expect(received.length).toBe(values.length);
  for (const [index, value] of values.entries()) {
    expect(received[index], `${context.command}\n${commands[index]}`).toBe(expected(context, value));
  }
}

describe('a value arrives literally', () => {
  test.each(bashContexts)('in $command', async (context) => {
    await compare(context, [...nastyValues, ...fc.sample(nastyValue, 30)], 'C.UTF-8');
  });

  test('in the locale C', async () => {
    for (const context of bashContexts.slice(0, 12)) await compare(context, nastyValues, 'C');
  });

  test('and nothing was written', async () => {
    expect(await readdir(folder)).toEqual(['script.sh']);
  });
});
