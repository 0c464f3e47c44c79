import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type FakeControlPlane, startFakeControlPlane } from './fake-control-plane.ts';
import { BATCH, page, sampleBatch, sampleStage } from './sample-answers.ts';
import { createTestTerminal, type TestTerminal } from './test-terminal.ts';

const binary = fileURLToPath(new URL('../../../agent/bin/planfleet.mjs', import.meta.url));

let test: TestTerminal;
let fake: FakeControlPlane;
beforeEach(async () => {
  test = await createTestTerminal();
  fake = await startFakeControlPlane({
    [`GET /v1/batches/${BATCH}`]: () => ({ json: sampleBatch('active', { total: 9, leased: 1 }) }),
    [`GET /v1/batches/${BATCH}/stages`]: () => page([sampleStage('extract', { total: 9, leased: 1 })]),
  });
});
afterEach(async () => {
  await fake.close();
  await test.remove();
});

it('Ctrl-C while watching leaves the batch running, and says how to watch and stop it', async () => {
  const env = { ...process.env, HOME: test.home, PLANFLEET_URL: fake.url };
  const args = ['status', BATCH, '--watch', '--token', 'secret-token', '-o', "OUT=it's here/totals.csv"];
  const child = spawn(process.execPath, [binary, ...args], { env, cwd: test.home });
  const ended = once(child, 'close');
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [line] = await once(child.stdout, 'data');
  expect(String(line)).toBe('extract 0/9 done, 1 running\n');
  expect(await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).not.toContain('secret');
  child.kill('SIGINT');
  expect((await ended)[0]).toBe(130);
  const target = `${await realpath(test.home)}/it'\\''s here/totals.csv`;
  expect(errors).toContain(`planfleet watch ${BATCH} -o 'OUT=${target}'\n`);
  expect(errors).toContain(`planfleet cancel ${BATCH}`);
  expect(fake.requests.every((request) => request.method === 'GET')).toBe(true);
});
