import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer();
  await fleet.startAgent('left', { slots: 2 });
});
afterAll(() => fleet.close());

/** The outage is longer than a lease (35 s) by far: what protects the leases is that no time passes without a tick. */
const OUTAGE_MS = 120_000;

test('the control plane is down for 2 minutes while tasks run: none is started twice, no result is lost', async () => {
  const out = fleet.makeFolder('out');
  const [server] = fleet.processes;
  const { port } = fleet;
  const id = await fleet.submit(
    `# Plan: Outage

## Inputs

- **OUT**: folder for notes

## Tasks

### short
- **task_class**: cpu
- **foreach**: [1, 2, 3, 4, 5, 6]
- **command**: \`echo short {ITEM} >> {OUT}/started; sleep 1\`

### long
- **task_class**: cpu
- **priority**: 10
- **command**: \`echo long >> {OUT}/started; sleep 90; echo long >> {OUT}/ended\`
`,
    { OUT: out },
  );
  const started = () => readFileSync(`${out}/started`, 'utf8').trim().split('\n');
  await until('the long task and a short one to run', () => {
    try {
      return started().includes('long') && started().length >= 2;
    } catch {
      return false;
    }
  });
  await server?.kill();
  // What is tested is the length of the silence itself, so there is nothing to await.
  await sleep(OUTAGE_MS);
  expect(readFileSync(`${out}/ended`, 'utf8')).toBe('long\n');
  const before = started();
  await fleet.startServer({ port });
  expect((await fleet.untilEnded(id, 90_000)).state).toBe('succeeded');
  expect(started().sort()).toEqual(['long', ...[1, 2, 3, 4, 5, 6].map((n) => `short ${n}`)]);
  expect(before).toContain('long');
  const tasks = await fleet.tasks(id);
  expect(tasks.map((task) => [task.state, task.attempts, task.losses])).toEqual(
    tasks.map(() => ['succeeded', 1, 0]),
  );
}, 300_000);
