import { readdir, rm } from 'node:fs/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderCommand } from '../../../../shared-types/src/index.ts';
import { type BashContext, bashContexts } from './bash-contexts.ts';
import { nastyValue, nastyValues } from './nasty-values.ts';
import { nestedCommand } from './nested-commands.ts';
import { makeFolder, runInBash } from './run-in-bash.ts';

let folder: string;

beforeAll(async () => {
  folder = await makeFolder();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function expected(context: BashContext, value: string): string {
  const received = context.arrives(value).join('\0');
  return context.raw ? received + (context.command.endsWith('\narg') ? '\0' : '') : `${received}\0`;
}

async function compare(context: BashContext, values: readonly string[], locale?: string): Promise<void> {
  const commands = values.map((X) => renderCommand(context.command, { variables: { X } }));
  const received = await runInBash(folder, commands, locale);
  expect(received.length).toBe(values.length);
  for (const [index, value] of values.entries()) {
    expect(received[index], `${context.command}\n${commands[index]}`).toBe(expected(context, value));
  }
}

describe('a value arrives literally', () => {
  test.each(bashContexts)('in $command', async (context) => {
    await compare(context, [...nastyValues, ...fc.sample(nastyValue, 30)]);
  });

  test('in the locale C', async () => {
    for (const context of bashContexts.slice(0, 12)) await compare(context, nastyValues, 'C');
  });

  test('in commands nested at random', async () => {
    const cases = fc.sample(fc.tuple(nestedCommand, nastyValue), 600);
    for (let from = 0; from < cases.length; from += 50) {
      const some = cases.slice(from, from + 50);
      const commands = some.map(([{ text }, X]) => renderCommand(text, { variables: { X } }));
      const received = await runInBash(folder, commands);
      for (const [index, [{ text, arrives }, value]] of some.entries()) {
        expect(received[index], `${text}\n=====\n${commands[index]}`).toBe(`1\0${arrives(value)}\0`);
      }
    }
  });

  test('and nothing was written', async () => {
    expect(await readdir(folder)).toEqual(['script.sh']);
  });
});
