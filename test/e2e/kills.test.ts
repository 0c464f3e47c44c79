import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';
import { isRunning } from '../support/is-running.ts';

let fleet: Fleet;
beforeEach(() => {
  fleet = new Fleet();
});
afterEach(() => fleet.close());

/** A list of numbers, one task each that notes its start and its end. */
function foreachPlan(items: number, body: string): string {
  const list = JSON.stringify(Array.from({ length: items }, (_, n) => n));
  return `# Plan: Kills

## Inputs

- **OUT**: folder for notes

## Tasks

### each
- **task_class**: cpu
- **foreach**: ${list}
- **max_attempts**: 1
- **command**: \`echo {ITEM} >> {OUT}/started; ${body}; echo {ITEM} >> {OUT}/ended\`

### after
- **task_class**: cpu
- **command**: \`sort -n {OUT}/ended | uniq > {OUT}/all\`
- **depends_on**: each
`;
}

function notes(folder: string, name: string): number[] {
  try {
    return readFileSync(`${folder}/${name}`, 'utf8').trim().split('\n').map(Number);
  } catch {
    return [];
  }
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);

test('kill -9 of the control plane in the middle of a batch: it finishes, every task started and succeeded once', async () => {
  const server = await fleet.startServer();
  const { port } = fleet;
  await fleet.startAgent('worker', { slots: 3 });
  const out = fleet.makeFolder('out');
  const id = await fleet.submit(foreachPlan(40, 'sleep 0.2'), { OUT: out });
  for (let kill = 1, current = server; kill <= 3; kill++) {
    const before = notes(out, 'ended').length;
    await until('some more tasks to end', () => notes(out, 'ended').length >= before + 5);
    await current.kill();
    current = await fleet.startServer({ port });
  }
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(notes(out, 'started').sort((a, b) => a - b)).toEqual(numbers(40));
  expect(notes(out, 'all')).toEqual(numbers(40));
  const tasks = await fleet.tasks(id);
  expect(tasks.every((task) => task.state === 'succeeded' && task.attempts === 1)).toBe(true);
});

test('kill -9 of an agent in the middle of a task: another one finishes it', async () => {
  const shared_dir = fleet.makeFolder('shared');
  // Short for a quick test, and long enough for an agent on a loaded machine to be heard in time.
  await fleet.startServer({ lease_ms: 10_000, tick_ms: 1_000 });
  const victim = await fleet.startAgent('victim', { slots: 1, shared_dir });
  const out = fleet.makeFolder('out');
  // The first run waits for a file that only appears later, so that the kill surely comes during it.
  const id = await fleet.submit(foreachPlan(1, 'until [ -e {OUT}/go ]; do sleep 0.05; done'), { OUT: out });
  await until('the task to start', () => notes(out, 'started').length === 1);
  await victim.kill();
  await fleet.startAgent('rescuer', { slots: 1, shared_dir });
  await until('the task to start again', () => notes(out, 'started').length === 2);
  writeFileSync(`${out}/go`, '');
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  const detail = await fleet.task(`${id}:each:0`);
  expect(detail.history.map((attempt) => [attempt.agent, attempt.outcome])).toEqual([
    ['victim', 'lost'],
    ['rescuer', 'succeeded'],
  ]);
  expect(detail).toMatchObject({ tries: 0, losses: 1 });
});

test('an agent that is killed and comes back ends what it had left behind before it takes work', async () => {
  await fleet.startServer();
  const first = await fleet.startAgent('phoenix', { slots: 1 });
  const out = fleet.makeFolder('out');
  const id = await fleet.submit(
    foreachPlan(1, 'echo $$ >> {OUT}/pids; if [ $(wc -l < {OUT}/pids) = 1 ]; then exec sleep 600; fi'),
    { OUT: out },
  );
  await until('the task to start', () => notes(out, 'pids').length === 1);
  await first.kill();
  const [orphan] = notes(out, 'pids');
  expect(isRunning(orphan ?? 0)).toBe(true);
  await fleet.startAgent('phoenix', { slots: 1 });
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(isRunning(orphan ?? 0)).toBe(false);
  expect(notes(out, 'started')).toHaveLength(2);
});
