import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listProcesses } from '../../../agent/src/exec/read-proc.ts';
import { AgentBench, FIXTURES, isAlive, makeStage, untilFile } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

async function findGuardian(): Promise<number | null> {
  for (const { pid } of listProcesses()) {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.includes('planfleet-guardian') && line.includes(bench.data)) return pid;
  }
  return null;
}

async function untilGone(pid: number): Promise<void> {
  while (await isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('kill -9 of an agent on a shared directory: its tasks end before another agent can take them', async () => {
  const files = [bench.path('plain'), bench.path('moved'), bench.path('bare')] as const;
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${files[0]}'` }));
  bench.plane.offer(makeStage({ command: `${FIXTURES}/leak.sh '${files[1]}' stay` }));
  bench.plane.offer(makeStage({ command: `env -i /bin/bash ${FIXTURES}/forever.sh '${files[2]}' & wait` }));
  const { child, exited } = await bench.startProcess({ shared_dir: bench.path('shared') });
  const pids = await Promise.all(files.map(async (file) => Number(await untilFile(file))));
  const guardian = await findGuardian();
  child.kill('SIGKILL');
  await exited;
  for (const pid of [...pids, guardian ?? 0]) await untilGone(pid);
  expect(guardian).not.toBeNull();
}, 20_000);

test('an agent that ends in order dismisses its guardian', async () => {
  const file = bench.path('pid');
  bench.plane.offer(makeStage({ command: `echo $$ > '${file}'` }));
  const { child, exited } = await bench.startProcess({ shared_dir: bench.path('shared') });
  await bench.plane.untilReports(1);
  const guardian = await findGuardian();
  child.kill('SIGTERM');
  await exited;
  expect(guardian).not.toBeNull();
  await untilGone(guardian ?? 0);
}, 20_000);
