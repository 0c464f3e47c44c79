import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create, Header } from 'tar';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentBench, BATCH_ID, isAlive, makeStage, untilFile } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

/** A gzipped tar of these files, as a blob of the control plane. */
async function packBlob(files: Record<string, string>, links: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(bench.path('pack-'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content, { mode: name.endsWith('.sh') ? 0o755 : 0o644 });
  }
  for (const [name, target] of Object.entries(links)) await symlink(target, join(folder, name));
  const file = `${folder}.tgz`;
  await create({ gzip: true, cwd: folder, file, preservePaths: true }, ['.']);
  return bench.plane.putBlob(await readFile(file));
}

function sha(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

test('a bundle is unpacked once per version, with its programs executable', async () => {
  const bundle = await packBlob(
    { 'plan.md': '# Plan: x', 'scripts/hello.sh': '#!/bin/bash\necho hello', 'data/a b.txt': 'x' },
    { 'latest.txt': 'data/a b.txt' },
  );
  bench.agent();
  bench.plane.offer(
    makeStage({
      has_list: true,
      plan_digest: 'a'.repeat(64),
      bundle,
      command: '{PLAN_PATH}/scripts/hello.sh; cat {PLAN_PATH}/latest.txt',
    }),
    [1, 2, 3, 4, 5, 6],
  );
  await bench.plane.untilReports(6);
  for (const report of bench.plane.reports)
    expect(report).toMatchObject({ outcome: 'succeeded', tail: 'hello\nx' });
  expect(bench.plane.count('blob')).toBe(1);
});

test('two agents on a shared directory unpack at once and both work', async () => {
  const bundle = await packBlob({ 'scripts/hello.sh': '#!/bin/bash\necho hello' });
  const other = await AgentBench.open();
  try {
    other.plane.blobs.set(bundle, bench.plane.blobs.get(bundle) ?? Buffer.alloc(0));
    const shared_dir = bench.path('shared');
    bench.agent({ shared_dir });
    other.agent({ shared_dir });
    const changes = { plan_digest: 'a'.repeat(64), bundle, command: '{PLAN_PATH}/scripts/hello.sh; pwd' };
    const reports = await Promise.all([bench.report(changes), other.report(changes)]);
    const path = join(shared_dir, 'plans', 'a'.repeat(64), 'history', BATCH_ID);
    for (const report of reports)
      expect(report).toMatchObject({ outcome: 'succeeded', tail: `hello\n${path}\n` });
    expect(bench.plane.registrations[0]?.storage).toBe(other.plane.registrations[0]?.storage);
  } finally {
    await other.close();
  }
});

test.each([
  ['a link that leads out', { evil: '../../../etc' }],
  ['an absolute link', { evil: '/etc/passwd' }],
  ['a link that leads out by way of another', { inner: '..', evil: 'inner/../../x' }],
])('a bundle with %s is refused', async (_, links) => {
  const bundle = await packBlob({ 'plan.md': 'x' }, links);
  bench.agent();
  const report = await bench.report({ plan_digest: 'a'.repeat(64), bundle });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'worker', started_at: null });
  expect(report.message).toContain('leads out of the folder');
});

test('a bundle with an entry that leads through a link is refused', async () => {
  // By hand, since no folder on disk packs like this: a/s leads to the top, so a/s/x lies higher than it looks.
  const header = (path: string, type: 'SymbolicLink', linkpath: string) => {
    const block = Buffer.alloc(512);
    new Header({ path, type, linkpath, mode: 0o777, size: 0 }).encode(block, 0);
    return block;
  };
  const entries = [header('a/s', 'SymbolicLink', '..'), header('a/s/evil', 'SymbolicLink', '../..')];
  const bundle = bench.plane.putBlob(gzipSync(Buffer.concat([...entries, Buffer.alloc(1_024)])));
  bench.agent();
  const report = await bench.report({ plan_digest: 'a'.repeat(64), bundle });
  expect(report.message).toContain('leads through a link');
});

test('odd names in an input are unpacked as they are', async () => {
  const folder = await packBlob({ 'c:x.txt': 'colon', '-dash': 'dash', 'a\\b': 'backslash' });
  bench.agent();
  const inputs = { DIR: { kind: 'folder', sha256: folder } } as const;
  const report = await bench.report({ inputs, command: 'cd {DIR}; cat ./c:x.txt ./-dash; cat ./a*' });
  expect(report).toMatchObject({ outcome: 'succeeded', tail: 'colondashbackslash' });
});

test.each([
  ['an entry for itself', () => packBlob({})],
  ['no entry at all', async () => bench.plane.putBlob(gzipSync(Buffer.alloc(10_240)))],
])('an empty folder packed with %s arrives as an empty folder', async (_, makeBlob) => {
  const sha256 = await makeBlob();
  bench.agent();
  const report = await bench.report({
    inputs: { DIR: { kind: 'folder', sha256 } },
    command: '[ -d {DIR} ] && ls -A {DIR}',
  });
  expect(report).toMatchObject({ outcome: 'succeeded', tail: '' });
});

test('what cannot be unpacked says why', async () => {
  const rubbish = bench.plane.putBlob(gzipSync(Buffer.from('rubbish'.repeat(200))));
  bench.agent();
  const inputs = { DIR: { kind: 'folder', sha256: rubbish } } as const;
  const report = await bench.report({ inputs, command: 'true' });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'worker' });
  expect(report.message).toContain('The input DIR cannot be unpacked');
});

test('content that arrives broken is fetched again, and refused when it stays so', async () => {
  const bundle = await packBlob({ 'plan.md': 'x' });
  bench.plane.replaces.set('blob', [{ status: 200, body: 'broken' }]);
  bench.agent();
  const spec = { plan_digest: 'a'.repeat(64), bundle };
  expect((await bench.report(spec)).outcome).toBe('succeeded');
  bench.plane.replaces.set('blob', Array(3).fill({ status: 200, body: 'broken' }));
  const report = await bench.report({ ...spec, plan_digest: 'b'.repeat(64) });
  expect(report.message).toContain('other content');
  const missing = await bench.report({ plan_digest: 'c'.repeat(64), bundle: 'f'.repeat(64) });
  expect(missing.message).toContain('cannot be fetched');
});

test('inputs that travel are there, and values are what they name', async () => {
  const file = bench.plane.putBlob(Buffer.from('the invoice'));
  const folder = await packBlob({ "O'Brien/a.txt": 'deep' });
  bench.agent();
  const changes = {
    inputs: {
      FILE: { kind: 'file', sha256: file, file_name: 'Rechnung (1) & "x".pdf' },
      FOLDER: { kind: 'folder', sha256: folder },
      WORD: { kind: 'value', value: '{BATCH_ID} $HOME' },
    },
    command: `cat {FILE}; echo; cat {FOLDER}/*/a.txt; echo; echo {WORD}; echo {FILE} {FOLDER}`,
  } as const;
  const report = await bench.report(changes);
  const inputs = join(bench.batchPath(), 'inputs');
  expect(report.tail).toBe(
    `the invoice\ndeep\n{BATCH_ID} $HOME\n${inputs}/FILE/Rechnung (1) & "x".pdf ${inputs}/FOLDER\n`,
  );
  expect((await bench.report(changes)).tail).toBe(report.tail);
  expect(bench.plane.count('blob')).toBe(2);
});

test.each(['../x', '/etc/x', ''])('an output at %j is refused', async (path) => {
  bench.agent();
  const report = await bench.report({
    inputs: { OUT: { kind: 'output_file', path } },
    command: 'echo x > {OUT}',
  });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'definition' });
});

test('outputs that the command names are uploaded before the report, links out of the batch are not', async () => {
  bench.agent();
  const report = await bench.report({
    inputs: {
      OUT: { kind: 'output_folder', path: 'all of it' },
      SUM: { kind: 'output_file', path: 'deep/sum.txt' },
      OTHER: { kind: 'output_file', path: 'other.txt' },
    },
    command: [
      'mkdir -p {OUT}/"sub dir"; echo one > {OUT}/"sub dir/1.txt"; echo one > {OUT}/2.txt; chmod 755 {OUT}/2.txt',
      'ln -s /etc/passwd {OUT}/evil; ln -s / {OUT}/root; ln -s 2.txt {OUT}/3.txt; ln -s . {OUT}/loop',
      'echo sum > {SUM}; echo other > output/other.txt; : > {OUT}/empty',
    ].join('\n'),
  });
  expect(report.outcome).toBe('succeeded');
  expect(report.files.map((file) => [file.path, file.sha256, file.mode & 0o111]).sort()).toEqual([
    ['output/all of it/2.txt', sha('one\n'), 0o111],
    ['output/all of it/3.txt', sha('one\n'), 0o111],
    ['output/all of it/empty', sha(''), 0],
    ['output/all of it/sub dir/1.txt', sha('one\n'), 0],
    ['output/deep/sum.txt', sha('sum\n'), 0],
  ]);
  expect(bench.plane.blobs.get(sha('one\n'))?.toString()).toBe('one\n');
  expect(bench.plane.blobs.get(sha(''))?.length).toBe(0);
  // Two files of one content and three contents: three uploads.
  expect(bench.plane.count('blob')).toBe(3);
});

test('a later task tells only what is new', async () => {
  bench.agent();
  const inputs = { OUT: { kind: 'output_folder', path: 'all' } } as const;
  const first = await bench.report({ inputs, command: 'echo 1 > {OUT}/1; echo 1 > {OUT}/2' });
  const second = await bench.report({ inputs, command: 'echo 22 > {OUT}/2; echo 3 > {OUT}/3' });
  const third = await bench.report({ command: 'echo 4 > output/all/4', inputs });
  expect(first.files.map((file) => file.path)).toEqual(['output/all/1', 'output/all/2']);
  expect(second.files.map((file) => file.path)).toEqual(['output/all/2', 'output/all/3']);
  expect(third.files).toEqual([]);
});

test('Setup runs once, in the plan folder, before all tasks', async () => {
  bench.agent({ slots: 4 });
  const setup = 'sleep 0.2\necho "$PWD" >> {PLAN_PATH}/setup-runs.txt';
  bench.plane.offer(
    makeStage({ has_list: true, setup, command: 'cat {PLAN_PATH}/setup-runs.txt' }),
    [1, 2, 3, 4, 5, 6],
  );
  await bench.plane.untilReports(6);
  for (const report of bench.plane.reports) {
    expect(report.tail).toBe(`${join(bench.data, 'plans', 'd'.repeat(64))}\n`);
  }
});

test('agents on a shared directory take turns with Setup', async () => {
  const other = await AgentBench.open();
  try {
    const shared_dir = bench.path('shared');
    bench.agent({ shared_dir });
    other.agent({ shared_dir });
    const setup =
      'mkdir {PLAN_PATH}/in-setup; sleep 0.3; rmdir {PLAN_PATH}/in-setup; echo x >> {PLAN_PATH}/runs';
    const changes = { setup: `set -e; ${setup}`, command: 'cat {PLAN_PATH}/runs' };
    const reports = await Promise.all([bench.report(changes), other.report(changes)]);
    // The same machine and the same folder: once is enough.
    for (const report of reports) expect(report).toMatchObject({ outcome: 'succeeded', tail: 'x\n' });
  } finally {
    await other.close();
  }
});

test('a Setup that fails fails the attempt with its output, and is tried again with the next', async () => {
  bench.agent();
  const setup = 'echo "no network today"; [ -e {BATCH_PATH}/results/network ]';
  const failed = await bench.report({ setup, command: 'echo ran' });
  expect(failed).toMatchObject({ outcome: 'failed', error_type: 'worker', tail: 'no network today\n' });
  expect(failed.message).toContain('The Setup of the plan ended with exit code 1');
  await writeFile(join(bench.batchPath(), 'results', 'network'), '');
  expect(await bench.report({ setup, command: 'echo ran' })).toMatchObject({
    outcome: 'succeeded',
    // The log of the attempt that runs Setup begins with what Setup printed.
    tail: 'no network today\nran\n',
  });
});

test('a task that is stopped during Setup ends it, when nobody else waits for it', async () => {
  bench.agent();
  const started = bench.path('pid');
  bench.plane.offer(makeStage({ setup: `echo $$ > '${started}'; sleep 1000`, command: 'true' }));
  const pid = Number(await untilFile(started));
  bench.plane.stop(bench.plane.liveLeases());
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'stopped', started_at: null });
  while (await isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
});
