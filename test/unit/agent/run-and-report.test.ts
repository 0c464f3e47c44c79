import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentBench, BATCH_ID, FIXTURES, isAlive, makeStage, untilFile } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

test('runs a command in the batch folder and reports its output', async () => {
  bench.agent();
  const report = await bench.report({
    command: 'pwd; echo out; echo err >&2; ls -d results output logs inputs',
  });
  expect(report).toMatchObject({
    outcome: 'succeeded',
    error_type: null,
    message: null,
    exit_code: 0,
    signal: null,
    attempt: 1,
    lists: [],
    files: [],
  });
  expect(report.tail).toBe(`${bench.batchPath()}\nout\nerr\ninputs\nlogs\noutput\nresults\n`);
  expect(report.ended_at).toBeGreaterThanOrEqual(report.started_at ?? Number.POSITIVE_INFINITY);
});

test('tells a task who it is, and hides the token', async () => {
  process.env['PLANFLEET_TOKEN'] = 'secret-token';
  try {
    bench.agent();
    const report = await bench.report({
      key: 'who',
      env: { WHERE: '{BATCH_PATH}/x y', GREETING: "it's $HOME" },
      command: 'env | grep -E "^(PLANFLEET|WHERE|GREETING)" | grep -v MARKER | sort; cat; exit 0',
    });
    expect(report.tail.split('\n')).toEqual([
      "GREETING=it's $HOME",
      'PLANFLEET_ATTEMPT=1',
      `PLANFLEET_BATCH_ID=${BATCH_ID}`,
      `PLANFLEET_BATCH_PATH=${bench.batchPath()}`,
      `PLANFLEET_PLAN_PATH=${join(bench.data, 'plans', 'd'.repeat(64))}`,
      `PLANFLEET_TASK=${BATCH_ID}:who:0`,
      `WHERE=${bench.batchPath()}/x y`,
      '',
    ]);
  } finally {
    delete process.env['PLANFLEET_TOKEN'];
  }
});

test('tells exit codes and signals apart', async () => {
  bench.agent();
  const failed = await bench.report({ command: `exec ${FIXTURES}/fail.sh 3` });
  expect(failed).toMatchObject({ outcome: 'failed', error_type: 'worker', exit_code: 3, signal: null });
  expect(failed.message).toBe('The command ended with exit code 3');
  expect(failed.tail).toBe('to stdout\nto stderr\n');
  const killed = await bench.report({ command: 'kill -SEGV $$' });
  expect(killed).toMatchObject({
    outcome: 'failed',
    error_type: 'worker',
    exit_code: null,
    signal: 'SIGSEGV',
  });
  const unknown = await bench.report({ command: 'no-such-program-here' });
  expect(unknown.message).toContain('was not found');
});

test('a placeholder that cannot be filled in is a fault of the plan', async () => {
  bench.agent();
  const report = await bench.report({ command: 'echo {NOWHERE}' });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'definition', exit_code: null });
  expect(report.message).toContain('NOWHERE');
});

test('nasty file names arrive as one argument, whatever quotes they stand in', async () => {
  bench.agent();
  const name = '-n O\'Brien & "Söhne" $(touch /tmp/pwned) `id` $5 \\ *\t\n{ITEM} final.pdf';
  const report = await bench.report(
    {
      has_list: true,
      inputs: { NAME: { kind: 'value', value: name } },
      command: `${FIXTURES}/print.sh {ITEM.file} "{ITEM.file}" '{ITEM.file}' {NAME} {ITEM_INDEX}`,
    },
    { file: name },
  );
  expect(report.tail).toBe(`[${name}]\n`.repeat(4).concat('[0]\n'));
});

test('50 tasks on 4 slots: all run once, never more than 4 at once, even if more are leased', async () => {
  bench.plane.overcommits = 3;
  bench.agent({ slots: 4 });
  const journal = bench.path('journal');
  const spec = makeStage({
    has_list: true,
    inputs: { JOURNAL: { kind: 'value', value: journal } },
    command: `${FIXTURES}/record.sh {JOURNAL} {ITEM} 0.02`,
  });
  bench.plane.offer(
    spec,
    Array.from({ length: 50 }, (_, index) => `item ${index}`),
  );
  await bench.plane.untilReports(50);
  expect(new Set(bench.plane.reports.map((report) => report.ordinal)).size).toBe(50);
  let running = 0;
  let most = 0;
  const lines = (await readFile(journal, 'utf8')).trim().split('\n');
  for (const line of lines) {
    running += line.startsWith('start') ? 1 : -1;
    most = Math.max(most, running);
  }
  expect(lines).toHaveLength(100);
  expect(most).toBeLessThanOrEqual(4);
  expect(most).toBeGreaterThan(1);
  expect(bench.plane.late).toEqual([]);
});

test('keeps the end of 20 MB on one line, and valid text of any bytes', async () => {
  bench.agent();
  const big = await bench.report({ command: `${FIXTURES}/big-output.sh 20` });
  expect(big.outcome).toBe('succeeded');
  expect(big.tail.length).toBe(65_536);
  expect(big.tail.endsWith('xxx\nthe end\n')).toBe(true);
  const odd = await bench.report({ command: String.raw`printf 'a\0b\xff\xc3(\xe2\x82\xacend'` });
  expect(odd.tail).toBe('a\uFFFDb\uFFFD\uFFFD(€end');
  const cut = await bench.report({ command: "yes 'ä€' | head -c 300000" });
  expect(Buffer.byteLength(cut.tail)).toBeLessThanOrEqual(65_536);
  expect(cut.tail.slice(0, 100)).not.toContain('\uFFFD');
  const broken = await bench.report({ command: String.raw`head -c 100000 /dev/zero | tr '\0' '\377'` });
  expect(Buffer.byteLength(broken.tail)).toBeLessThanOrEqual(65_536);
  expect(Buffer.byteLength(broken.tail)).toBeGreaterThan(65_500);
});

test('a command of 200 KB runs from a file', async () => {
  bench.agent();
  const report = await bench.report({ command: `: '${'x'.repeat(200_000)}'\necho done` });
  expect(report).toMatchObject({ outcome: 'succeeded', tail: 'done\n' });
});

test('what the system cannot start is a failure that says so, and the agent goes on', async () => {
  bench.agent();
  const huge = await bench.report({ env: { HUGE: 'x'.repeat(200_000) } });
  expect(huge).toMatchObject({ outcome: 'failed', error_type: 'worker', exit_code: null });
  expect(huge.message).toContain('could not be started');
  const odd = await bench.report({ env: { 'A=B': '1' } });
  expect(odd).toMatchObject({ outcome: 'failed', error_type: 'definition' });
  const nul = await bench.report({ command: 'echo \0' });
  expect(nul).toMatchObject({ outcome: 'failed', error_type: 'definition' });
  expect((await bench.report({ command: 'true' })).outcome).toBe('succeeded');
});

test('a task is over when its command is: background work in its group is ended', async () => {
  bench.agent();
  const file = bench.path('pid');
  const report = await bench.report({
    command: `${FIXTURES}/forever.sh '${file}' & while [ ! -e '${file}' ]; do sleep 0.02; done`,
  });
  expect(report.outcome).toBe('succeeded');
  expect(await isAlive(Number(await untilFile(file)))).toBe(false);
});

test('a promised file that is not there is a failure that names it', async () => {
  bench.agent();
  const report = await bench.report({
    command: 'echo x > results/a.txt',
    produces: ['results/a.txt', 'results/*.json', '{BATCH_PATH}/results/b c.txt'],
  });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'worker', exit_code: 0 });
  expect(report.message).toContain('missing_output');
  expect(report.message).toContain('results/b c.txt');
  expect(report.message).not.toContain('a.txt');
});

test('a batch folder that cannot be made fails the attempt, and the agent goes on', async () => {
  bench.agent();
  await mkdir(join(bench.data, 'plans'), { recursive: true });
  await writeFile(join(bench.data, 'plans', 'e'.repeat(64)), 'in the way');
  const report = await bench.report({ plan_digest: 'e'.repeat(64) });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'worker' });
  expect((await bench.report({ command: 'true' })).outcome).toBe('succeeded');
});
