import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { BatchExplanation, DecisionView, TaskExplanation } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';
import { isRunning } from '../support/is-running.ts';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer({ tick_ms: 500 });
  await fleet.adminToken();
  await fleet.startAgent('worker', { slots: 3 });
});
afterAll(() => fleet.close());

/** Tasks over these items; the script finds the item in `{ITEM}` and a folder of the test in `$HERE`. */
function planOver(items: readonly string[], script: string, fields = ''): string {
  return `# Plan: Operate

## Goal
Test.

## Tasks

### each
- **task_class**: cpu
- **foreach**: ${JSON.stringify(items)}
- **command**:
\`\`\`bash
HERE='${fleet.folder}'
${script}
\`\`\`
${fields}`;
}

const cli = async (...args: string[]) => {
  const result = await fleet.cli(args);
  expect([result.code, result.stderr]).toEqual([0, '']);
  return result.stdout.trim();
};
const statesOf = async (id: string) => (await fleet.tasks(id)).map((task) => task.state);

test('what a batch gave up is tried again, and what succeeded is not run twice', async () => {
  const script = `echo x >> "$HERE/runs-{ITEM}"; [ {ITEM} = good ] || [ -e "$HERE/repaired" ]`;
  const id = await fleet.submit(planOver(['good', 'bad'], script, '- **max_attempts**: 1\n'));
  expect((await fleet.untilEnded(id)).state).toBe('failed');
  expect(await cli('explain', id)).toContain(`planfleet retry ${id} tries again what was abandoned`);
  writeFileSync(fleet.path('repaired'), '');
  expect(await cli('retry', id)).toBe(`Batch ${id} is active: 1 task is tried again.`);
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(readFileSync(fleet.path('runs-good'), 'utf8')).toBe('x\n');
  expect((await fleet.task(`${id}:each:1`)).history.map(({ outcome }) => outcome)).toEqual([
    'failed',
    'succeeded',
  ]);
  const again = await fleet.cli(['retry', id]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('nothing to retry')]);
});

test('a paused batch begins nothing, and goes on when it is resumed', async () => {
  const script = `echo x > "$HERE/began-{ITEM}"; until [ -e "$HERE/go" ]; do sleep 0.05; done`;
  const items = ['p0', 'p1', 'p2', 'p3'];
  const id = await fleet.submit(planOver(items, script));
  await until(
    'three to run',
    () => items.filter((item) => existsSync(fleet.path(`began-${item}`))).length === 3,
  );
  expect(await cli('pause', id)).toBe(`Batch ${id} is paused.`);
  writeFileSync(fleet.path('go'), '');
  await until('those to end', async () => (await fleet.batch(id)).succeeded === 3);
  const why = JSON.parse(await cli('explain', `${id}:each:3`, '--json')) as TaskExplanation;
  expect(why.reasons.map(({ code }) => code)).toEqual(['batch_paused']);
  expect(existsSync(fleet.path('began-p3'))).toBe(false);
  expect(await cli('resume', id)).toBe(`Batch ${id} is active.`);
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
});

test('a running attempt is aborted, a stubborn one killed; both are failed tries', async () => {
  const script = `trap '' TERM; [ {ITEM} = stubborn ] || trap - TERM; echo $$ > "$HERE/{ITEM}"; while :; do sleep 0.1; done`;
  const id = await fleet.submit(planOver(['meek', 'stubborn'], script, '- **max_attempts**: 1\n'));
  const pids = await until('both to run', () => {
    const read = ['meek', 'stubborn'].map((name) => fleet.path(name));
    return read.every((file) => existsSync(file)) && read.map((file) => Number(readFileSync(file, 'utf8')));
  });
  expect(await cli('explain', `${id}:each:0`)).toMatch(/Attempt 1 runs on worker since/);
  expect(await cli('abort', `${id}:each:0`)).toBe(`worker is told to abort ${id}:each:0.`);
  expect(await cli('kill', `${id}:each:1`)).toBe(`worker is told to kill ${id}:each:1.`);
  expect((await fleet.untilEnded(id, 8_000)).state).toBe('failed');
  expect(await statesOf(id)).toEqual(['abandoned', 'abandoned']);
  const { history } = await fleet.task(`${id}:each:0`);
  expect(history).toMatchObject([
    { outcome: 'failed', error_type: 'worker', message: 'Aborted on request', signal: 'SIGTERM' },
  ]);
  for (const pid of pids) expect(await isRunning(pid)).toBe(false);
  const ended = await fleet.cli(['abort', `${id}:each:0`]);
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('is not running: it is abandoned')]);
});

test('a draining agent ends what it runs and takes nothing, until it is resumed', async () => {
  const script = `echo x > "$HERE/drain-{ITEM}"; until [ -e "$HERE/drained" ]; do sleep 0.05; done`;
  const id = await fleet.submit(planOver(['0', '1', '2', '3'], script));
  await until('three to run', async () => (await fleet.batch(id)).leased === 3);
  expect(await cli('agents', 'drain', 'worker')).toBe('Agent worker is draining: 3 tasks are running on it.');
  writeFileSync(fleet.path('drained'), '');
  await until('those to end', async () => (await fleet.batch(id)).succeeded === 3);
  const why = JSON.parse(await cli('explain', id, '--json')) as BatchExplanation;
  expect(why.stages[0]?.reasons.map(({ code }) => code)).toEqual(['no_agent_fits']);
  expect(await cli('agents')).toMatch(/^worker +draining +0 of 3 slots used/);
  const shown = JSON.parse(await cli('agents', 'worker', '--json')) as { state: string };
  expect(shown.state).toBe('draining');
  const resumed = JSON.parse(await cli('agents', 'resume', 'worker', '--json')) as { state: string };
  expect(resumed.state).toBe('connected');
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
});

test('decisions are followed within a second, and stand in the log of the server', async () => {
  const before = JSON.parse((await cli('decisions', '--json', '--limit', '1')).trim()) as DecisionView;
  const follower = fleet.start(['decisions', '-f', '--json'], {
    ...fleet.env,
    PLANFLEET_URL: fleet.url,
    PLANFLEET_TOKEN: await fleet.adminToken(),
  });
  const told = () => follower.lines.map((line) => JSON.parse(line) as DecisionView);
  await until('the follower to begin', () => told().some(({ id }) => id === before.id));
  const id = await fleet.submit(planOver(['a'], 'exit 1', '- **max_attempts**: 1\n'));
  const submitted = performance.now();
  await until('the submission to be told', () => told().some(({ batch_id }) => batch_id === id));
  expect(performance.now() - submitted).toBeLessThan(2_000);
  await until('the end to be told', () =>
    told().some(({ batch_id, type }) => batch_id === id && type === 'BATCH_FAILED'),
  );
  const types = told().flatMap(({ batch_id, type }) => (batch_id === id ? [type] : []));
  expect(types).toEqual(['PLAN_PARSED', 'FOREACH_EXPAND', 'ABANDON', 'BATCH_FAILED']);
  const text = await cli('decisions', id);
  expect(text.split('\n').at(-2)).toMatch(/Z ABANDON +each:0 failed on worker for the last of 1 time/);
  const server = fleet.processes[0];
  await until('the log of the server to say so', () =>
    server?.lines.some((line) => line.includes('BATCH_FAILED') && line.includes(id)),
  );
  follower.child.kill('SIGINT');
  await follower.ended;
  expect(follower.child.exitCode).toBe(0);
});
