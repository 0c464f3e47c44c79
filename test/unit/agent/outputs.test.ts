import { createHash } from 'node:crypto';
import { appendFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report, StageSpec } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentBench, makeStage } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

const OUT = { OUT: { kind: 'output_folder', path: 'all' } } as const;
const FILE = { FILE: { kind: 'output_file', path: 'all.txt' } } as const;

function sha(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

function output(name: string): string {
  return join(bench.batchPath(), 'output', name);
}

/** One task per item, each running the `case` of its name. */
function stageOf(cases: Record<string, string>): [StageSpec, string[]] {
  const branches = Object.entries(cases).map(([name, script]) => `${name}) ${script};;`);
  const command = `case {ITEM} in\n${branches.join('\n')}\nesac; : {OUT}`;
  return [makeStage({ has_list: true, inputs: OUT, command }), Object.keys(cases)];
}

async function runAll(cases: Record<string, string>): Promise<Report[]> {
  const [spec, items] = stageOf(cases);
  bench.plane.offer(spec, items);
  await bench.plane.untilReports(items.length);
  return bench.plane.reports;
}

/** What a download would find: the latest word on each path. */
function published(): Record<string, string> {
  const files: Record<string, string> = {};
  for (const report of bench.plane.reports) {
    if (report.outcome !== 'succeeded') continue;
    for (const file of report.files) {
      files[file.path.replace('output/', '')] = bench.plane.blobs.get(file.sha256)?.toString() ?? 'MISSING';
    }
  }
  return files;
}

/** Waits for a file in {OUT}; the test stays quick and never depends on a duration. */
const wait = (name: string) => `until [ -e {OUT}/${name} ]; do sleep 0.02; done`;

test('a file that another task writes on fails nobody, and comes with the last of them', async () => {
  bench.agent({ slots: 2 });
  const reports = await runAll({
    slow: `until [ -e {OUT}/q4.txt ]; do echo x >> {OUT}/slow.bin; sleep 0.005; done; echo end >> {OUT}/slow.bin`,
    q1: 'echo q1 > {OUT}/q1.txt',
    q2: 'echo q2 > {OUT}/q2.txt',
    q3: 'echo q3 > {OUT}/q3.txt',
    q4: 'sleep 0.1; echo q4 > {OUT}/q4.txt',
  });
  expect(reports.map((report) => report.outcome)).toEqual(Array(5).fill('succeeded'));
  const found = published();
  expect(Object.keys(found).sort()).toEqual([
    'all/q1.txt',
    'all/q2.txt',
    'all/q3.txt',
    'all/q4.txt',
    'all/slow.bin',
  ]);
  expect(found['all/slow.bin']).toMatch(/^(x\n)+end\n$/);
  expect(bench.plane.late).toEqual([]);
});

test('30 tasks that append to one file: every line once, all succeed', async () => {
  bench.agent({ slots: 4 });
  const spec = makeStage({ has_list: true, inputs: FILE, command: 'echo {ITEM} >> {FILE}' });
  bench.plane.offer(spec, [...Array(30).keys()]);
  await bench.plane.untilReports(30);
  expect(bench.plane.reports.every((report) => report.outcome === 'succeeded')).toBe(true);
  const lines = (published()['all.txt'] ?? '').trim().split('\n').map(Number);
  expect(lines.sort((a, b) => a - b)).toEqual([...Array(30).keys()]);
});

test('what a failed task left is not published, until a success rewrites it', async () => {
  bench.agent({ slots: 1 });
  const failed = await bench.report({ inputs: OUT, command: 'echo half > {OUT}/bad.txt; exit 1' });
  expect(failed).toMatchObject({ outcome: 'failed', files: [] });
  await bench.report({ inputs: OUT, command: 'echo good > {OUT}/good.txt' });
  expect(published()).toEqual({ 'all/good.txt': 'good\n' });
  await bench.report({ inputs: OUT, command: 'echo whole > {OUT}/bad.txt' });
  expect(published()).toEqual({ 'all/good.txt': 'good\n', 'all/bad.txt': 'whole\n' });
});

test('a file that a running task deletes again before it fails is not published with another task', async () => {
  bench.agent({ slots: 2 });
  const reports = await runAll({
    bad: `echo x > {OUT}/bad.txt; ${wait('good.txt')}; sleep 0.1; rm {OUT}/bad.txt; exit 1`,
    good: `${wait('bad.txt')}; echo good > {OUT}/good.txt`,
  });
  expect(reports.map((report) => report.outcome).sort()).toEqual(['failed', 'succeeded']);
  // The failure came last, and still the file of the success is there.
  expect(published()).toEqual({ 'all/good.txt': 'good\n' });
});

test('a report that is kept back takes no slot, and comes in time when others succeed', async () => {
  bench.agent({ slots: 2 });
  const reports = await runAll({
    fails: `${wait('b.txt')}; ${wait('c.txt')}; ${wait('d.txt')}; exit 1`,
    a: 'echo a > {OUT}/a.txt',
    b: 'echo b > {OUT}/b.txt',
    c: 'echo c > {OUT}/c.txt',
    d: 'echo d > {OUT}/d.txt',
  });
  expect(reports.filter((report) => report.outcome === 'succeeded')).toHaveLength(4);
  expect(published()).toEqual({
    'all/a.txt': 'a\n',
    'all/b.txt': 'b\n',
    'all/c.txt': 'c\n',
    'all/d.txt': 'd\n',
  });
});

test.each([
  ['env', { env: { TARGET: '{FILE}' }, command: 'echo x > "$TARGET"' }],
  ['produces', { produces: ['{FILE}'], command: 'echo x > output/all.txt' }],
])('an output that only %s names is delivered', async (_, changes) => {
  bench.agent();
  const report = await bench.report({ inputs: FILE, ...changes });
  expect(report.files.map((file) => file.path)).toEqual(['output/all.txt']);
});

test('what was reported is what is uploaded, however late and whatever happens to the file', async () => {
  bench.agent();
  bench.plane.replaces.set('missing', Array(3).fill({ status: 503, body: '' }));
  bench.plane.offer(makeStage({ inputs: FILE, command: 'echo first > {FILE}' }));
  await bench.plane.until('the question for missing content', () => bench.plane.count('missing') > 0);
  await appendFile(output('all.txt'), 'changed\n');
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]?.files.map((file) => file.sha256)).toEqual([sha('first\n')]);
  expect(published()).toEqual({ 'all.txt': 'first\n' });
  const copies = join(bench.data, 'outbox', 'files');
  while ((await readdir(copies)).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

test('what was reported before a restart is what is uploaded after it', async () => {
  const agent = bench.agent();
  bench.plane.replaces.set('missing', Array(1_000).fill({ status: 503, body: '' }));
  bench.plane.offer(makeStage({ inputs: FILE, command: 'echo first > {FILE}' }));
  await bench.plane.until('the question for missing content', () => bench.plane.count('missing') > 0);
  agent.stop();
  await agent.done;
  await appendFile(output('all.txt'), 'changed\n');
  bench.plane.replaces.delete('missing');
  bench.agent();
  await bench.plane.untilReports(1);
  expect(published()).toEqual({ 'all.txt': 'first\n' });
});

test('a copy that is lost is made good from the file, and a file that is gone is left out', async () => {
  bench.agent();
  for (const [name, spoil] of [
    ['a.txt', () => writeFile(output('all/a.txt'), 'other\n')],
    ['b.txt', () => rm(output('all/b.txt'))],
  ] as const) {
    const asked = bench.plane.count('missing');
    bench.plane.replaces.set('missing', Array(3).fill({ status: 503, body: '' }));
    bench.plane.offer(makeStage({ inputs: OUT, command: `echo ${name} > {OUT}/${name}` }));
    await bench.plane.until('the question for missing content', () => bench.plane.count('missing') > asked);
    const copies = join(bench.data, 'outbox', 'files');
    for (const copy of await readdir(copies)) await rm(join(copies, copy));
    await spoil();
    await bench.plane.until('its report', () => bench.plane.reports.length === (name === 'a.txt' ? 1 : 2));
  }
  expect(bench.plane.reports.map((report) => report.outcome)).toEqual(['succeeded', 'succeeded']);
  expect(published()).toEqual({ 'all/a.txt': 'other\n' });
});

test('a report that comes too late brings its files with the next success', async () => {
  bench.agent({ slots: 1 });
  bench.plane.offer(makeStage({ inputs: OUT, command: 'echo late > {OUT}/late.txt; sleep 0.3' }));
  await bench.plane.until('the lease', () => bench.plane.liveLeases().length === 1);
  bench.plane.replaces.set('heartbeat', Array(50).fill({ status: 503, body: '' }));
  for (const key of bench.plane.liveLeases()) bench.plane.expire(key);
  await bench.plane.until('the late report', () => bench.plane.late.length === 1);
  await bench.report({ inputs: OUT, command: 'echo next > {OUT}/next.txt' });
  expect(published()).toEqual({ 'all/late.txt': 'late\n', 'all/next.txt': 'next\n' });
});
