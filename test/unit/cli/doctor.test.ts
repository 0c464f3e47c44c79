import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { configFile } from '../../../agent/src/client/config-folders.ts';
import { checkNode, checkPlatform, checkSpace } from '../../../agent/src/client/doctor/check-machine.ts';
import { checkClock, checkServer } from '../../../agent/src/client/doctor/check-server.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

let test: TestTerminal;
beforeEach(async () => {
  test = await createTestTerminal();
});
afterEach(() => test.remove());

it('an old Node, another system and a full disk are failures', () => {
  expect([checkNode('18.20.1').state, checkNode('22.1.0').state]).toEqual(['failed', 'ok']);
  expect(['linux', 'darwin', 'win32'].map((name) => checkPlatform(name).state)).toEqual([
    'ok',
    'warning',
    'failed',
  ]);
  expect([1e7, 1e9, 1e12].map((free) => checkSpace('d', '/d', free).state)).toEqual([
    'failed',
    'warning',
    'ok',
  ]);
});

it('a clock that is off is told with its direction', () => {
  expect(checkClock(900)).toMatchObject({ state: 'ok', detail: 'as that of the control plane' });
  expect(checkClock(-46_000)).toMatchObject({ state: 'warning', detail: '45 s behind the control plane' });
  expect(checkClock(3_601_000)).toMatchObject({
    state: 'failed',
    detail: expect.stringContaining('ahead of'),
  });
  expect(checkClock(Number.NaN).state).toBe('info');
});

it('a config file that cannot be read as one is a finding, and so are its modes', async () => {
  const file = configFile(test.terminal.env);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, '{');
  expect(await checkServer({}, test.terminal)).toMatchObject([{ name: 'configuration', state: 'failed' }]);
  await writeFile(file, '{"url":"http://127.0.0.1:9","token":"t"}', { mode: 0o644 });
  expect(await checkServer({}, test.terminal)).toMatchObject([
    { name: 'config file', state: 'warning', hint: `chmod 600 '${file}'` },
    { name: 'control plane', state: 'failed', detail: expect.stringContaining(`from ${file}`) },
  ]);
  expect(test.err).toEqual([]);
});
