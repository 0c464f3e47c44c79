import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shortenLog } from '../../../agent/src/exec/shorten-log.ts';
import { until } from '../../support/fleet.ts';
import { AgentBench } from './agent-bench.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planfleet-log-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a long log keeps its head and its tail, a short one everything', async () => {
  const file = join(folder, 'log');
  await writeFile(file, `${'h'.repeat(500)}${'m'.repeat(9_000)}${'t'.repeat(500)}`);
  await shortenLog(file, 1_000);
  expect(await readFile(file, 'utf8')).toBe(
    `${'h'.repeat(500)}\n[9000 bytes left out by planfleet]\n${'t'.repeat(500)}`,
  );
  const before = await readFile(file, 'utf8');
  await shortenLog(file, 1_000);
  expect(await readFile(file, 'utf8')).toBe(before);
});

test('the log of a success is cut, that of a failure is not', async () => {
  const bench = await AgentBench.open();
  try {
    bench.agent();
    const sizeOf = async (key: string) =>
      (await stat(join(bench.batchPath(), 'logs', `${key}.0.1.log`))).size;
    for (const [key, end] of [
      ['bad', 'false'],
      ['good', 'true'],
    ] as const) {
      const report = await bench.report({
        key,
        command: `head -c 12000000 /dev/zero | tr '\\0' x; echo; ${end}`,
      });
      expect(report.tail.endsWith('xxx\n')).toBe(true);
    }
    // Once it was delivered, which its report need not wait for.
    await until('the log to be cut', async () => (await sizeOf('good')) < 10_000_100);
    expect(await sizeOf('bad')).toBe(12_000_001);
  } finally {
    await bench.close();
  }
});
