import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseInputs } from '../../../agent/src/client/parse-inputs.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

let test: TestTerminal;
beforeEach(async () => {
  test = await createTestTerminal();
});
afterEach(() => test.remove());

describe('inputs on the command line', () => {
  it('are values, paths that travel, and --config, which -i overrides', async () => {
    const given = await parseInputs(
      '{"MODE":"fast","COUNT":3,"DEEP":true,"IN":"/data"}',
      ['MODE=slow', 'TEXT=a=b@c', 'EMPTY=', 'IN=@./my invoices'],
      '/home/ann',
    );
    expect(given.config).toEqual({ MODE: 'slow', COUNT: '3', DEEP: 'true', TEXT: 'a=b@c', EMPTY: '' });
    expect([...given.travelling]).toEqual([['IN', '/home/ann/my invoices']]);
  });

  it('read --config @file', async () => {
    await writeFile(join(test.home, 'c.json'), '{"A":"1"}');
    expect((await parseInputs('@c.json', [], test.home)).config).toEqual({ A: '1' });
  });

  it.each([
    [undefined, ['A'], 'a value is missing'],
    [undefined, ['=x'], 'a value is missing'],
    [undefined, ['input-folder=x'], 'upper case'],
    [undefined, ['A=@'], 'names no path'],
    ['{', [], 'not valid JSON'],
    ['[1]', [], '--config'],
    ['{"A":{}}', [], '--config'],
    ['@none.json', [], 'cannot read none.json'],
  ])('refuse --config %s -i %j', async (config, inputs, text) => {
    await expect(parseInputs(config, inputs, test.home)).rejects.toThrow(text);
    await expect(parseInputs(config, inputs, test.home)).rejects.toMatchObject({ exit_code: 2 });
  });
});
