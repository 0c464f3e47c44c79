import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockHome } from '../../../agent/src/agent/lock-home.ts';
import { readBootId, readStartTime, readStat } from '../../../agent/src/exec/read-proc.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planfleet-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function writeHolder(pid: number): Promise<void> {
  const holder = { pid, start_time: readStartTime(pid), boot_id: readBootId() };
  return writeFile(join(folder, 'agent.pid'), JSON.stringify(holder));
}

test('one agent at a time has a state directory', async () => {
  const unlock = await lockHome(folder);
  expect(unlock).not.toBeNull();
  expect(await lockHome(folder)).toBeNull();
  await unlock?.();
  expect(await lockHome(folder)).not.toBeNull();
});

test('a holder that is dead but not collected by its parent does not keep the next one out', async () => {
  // It ends only once its parent is a program that never asks for its children: bash would collect it.
  const child = 'echo $$; until [ "$(< /proc/$PPID/comm)" = sleep ]; do :; done';
  const parent = spawn('bash', ['-c', 'bash -c "$0" & exec sleep 1000', child], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const lines = createInterface({ input: parent.stdout });
    const pid = Number((await lines[Symbol.asyncIterator]().next()).value);
    while (readStat(pid)?.is_zombie !== true) await new Promise((resolve) => setTimeout(resolve, 10));
    await writeHolder(pid);
    expect(await lockHome(folder)).not.toBeNull();
  } finally {
    parent.kill('SIGKILL');
  }
});

test('a process that lives keeps the next one out', async () => {
  await writeHolder(process.pid);
  expect(await lockHome(folder)).toBeNull();
});
