import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentBench, FIXTURES, hastyDeps, isAlive, makeStage, untilFile } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

test('a task that ignores SIGTERM is killed when it is stopped', async () => {
  const file = bench.path('pid');
  bench.agent({}, hastyDeps());
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${file}'` }));
  const pid = Number(await untilFile(file));
  bench.plane.stop(bench.plane.liveLeases());
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'stopped', error_type: null, signal: 'SIGKILL' });
  expect(await isAlive(pid)).toBe(false);
});

test('a stop reaches a task by the heartbeat as well', async () => {
  const file = bench.path('pid');
  bench.plane.stopsComeBy = 'heartbeat';
  bench.agent();
  bench.plane.offer(makeStage({ command: `${FIXTURES}/forever.sh '${file}'` }));
  await untilFile(file);
  bench.plane.stop(bench.plane.liveLeases());
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'stopped', signal: 'SIGTERM' });
});

test('a stop that is told again and again until its task has ended does not make the agent ask without pause', async () => {
  const file = bench.path('pid');
  bench.agent();
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${file}'` }));
  await untilFile(file);
  const stops = bench.plane.liveLeases();
  const body = JSON.stringify({ leases: [], stages: [], stops });
  bench.plane.replaces.set('claim', Array(10_000).fill({ status: 200, body }));
  bench.plane.stop(stops);
  await bench.plane.until('the first stop', () => (bench.plane.replaces.get('claim')?.length ?? 0) < 10_000);
  const before = bench.plane.count('claim');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(bench.plane.count('claim') - before).toBeLessThan(40);
  bench.plane.replaces.delete('claim');
});

test('an aborted task has failed, however its command ends', async () => {
  const file = bench.path('pid');
  bench.agent();
  const command = `trap 'exit 0' TERM; echo $$ > '${file}'; while :; do sleep 0.05; done`;
  bench.plane.offer(makeStage({ command }));
  await untilFile(file);
  bench.plane.stop(bench.plane.liveLeases(), 'abort');
  await bench.plane.untilReports(1);
  const message = 'Aborted on request';
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'failed', error_type: 'worker', message });
});

test('a kill follows an abort that is not heeded, at once', async () => {
  const file = bench.path('pid');
  bench.agent();
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${file}'` }));
  const pid = Number(await untilFile(file));
  const leases = bench.plane.liveLeases();
  bench.plane.stop(leases, 'abort');
  await bench.plane.until('the abort to be told', () => bench.plane.stopsLeft === 0);
  const asked = performance.now();
  bench.plane.stop(leases, 'kill');
  await bench.plane.untilReports(1);
  // An abort alone takes the 10 s that SIGTERM has.
  expect(performance.now() - asked).toBeLessThan(8_000);
  expect(bench.plane.reports[0]).toMatchObject({
    outcome: 'failed',
    error_type: 'worker',
    signal: 'SIGKILL',
  });
  expect(await isAlive(pid)).toBe(false);
});

test('a task is aborted before it has started', async () => {
  const file = bench.path('pid');
  bench.plane.overcommits = 1;
  bench.agent({ slots: 1 });
  const spec = makeStage({ command: `${FIXTURES}/forever.sh '${file}'`, has_list: true });
  bench.plane.offer(spec, ['first', 'second']);
  await untilFile(file);
  bench.plane.stop(
    bench.plane.liveLeases().filter((key) => key.ordinal === 1),
    'abort',
  );
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'failed', ordinal: 1, started_at: null });
});

test('a task is stopped before it has started', async () => {
  const file = bench.path('pid');
  bench.plane.overcommits = 1;
  bench.agent({ slots: 1 });
  const spec = makeStage({ command: `${FIXTURES}/forever.sh '${file}'`, has_list: true });
  bench.plane.offer(spec, ['first', 'second']);
  await untilFile(file);
  bench.plane.stop(bench.plane.liveLeases().filter((key) => key.ordinal === 1));
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'stopped', ordinal: 1, started_at: null });
});

test('a task that runs out of time is ended and failed', async () => {
  const file = bench.path('pid');
  bench.agent();
  const report = await bench.report({
    command: `${FIXTURES}/leak.sh '${file}' stay`,
    timeout_ms: 500,
  });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'timeout' });
  // The signal goes to the whole group: bash may see its child die of it before it has its own.
  expect([
    [null, 'SIGTERM'],
    [143, null],
  ]).toContainEqual([report.exit_code, report.signal]);
  expect(report.message).toBe('The command ran longer than its timeout of 0.5 s');
  expect(await isAlive(Number(await untilFile(file)))).toBe(false);
});

test('a lease that is gone: its processes end, and nothing is reported', async () => {
  const file = bench.path('pid');
  const agent = bench.agent();
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${file}'` }));
  const pid = Number(await untilFile(file));
  for (const key of bench.plane.liveLeases()) bench.plane.expire(key);
  while (await isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  agent.drain();
  await agent.done;
  expect(bench.plane.count('results')).toBe(0);
});

test('a failed command takes along what it had moved to a session of its own', async () => {
  const file = bench.path('pid');
  bench.agent();
  const report = await bench.report({ command: `${FIXTURES}/leak.sh '${file}'; exit 4` });
  expect(report.exit_code).toBe(4);
  expect(await isAlive(Number(await untilFile(file)))).toBe(false);
});

test('a service that a successful task left behind ends with the agent', async () => {
  const file = bench.path('pid');
  const agent = bench.agent();
  const report = await bench.report({ command: `${FIXTURES}/leak.sh '${file}'` });
  expect(report.outcome).toBe('succeeded');
  const pid = Number(await untilFile(file));
  expect(await isAlive(pid)).toBe(true);
  agent.drain();
  await agent.done;
  expect(await isAlive(pid)).toBe(false);
});

test('a drain finishes what runs and hands back what waits', async () => {
  const gate = bench.path('gate');
  const file = bench.path('pid');
  bench.plane.overcommits = 2;
  const agent = bench.agent({ slots: 1 });
  const command = `echo $$ > '${file}'; while [ ! -e '${gate}' ]; do sleep 0.02; done`;
  bench.plane.offer(makeStage({ command, has_list: true }), ['runs', 'waits', 'waits too']);
  await untilFile(file);
  agent.drain();
  // While the first still runs the others are back, and what comes now comes back as well.
  await bench.plane.untilReports(2);
  await bench.plane.until('a claim of no slots', () => bench.plane.seen.some(isClaimOfNothing));
  bench.plane.overcommits = 2;
  bench.plane.offer(makeStage({ command: 'true' }));
  await bench.plane.untilReports(3);
  await writeFile(gate, '');
  expect((await agent.done).kind).toBe('drained');
  const outcomes = bench.plane.reports.map((report) => report.outcome);
  expect(outcomes).toEqual(['returned', 'returned', 'returned', 'succeeded']);
});

test('a drain whose grace is over ends what runs and hands it back', async () => {
  const file = bench.path('pid');
  const agent = bench.agent({ grace_ms: 100 });
  bench.plane.offer(makeStage({ command: `${FIXTURES}/forever.sh '${file}'` }));
  const pid = Number(await untilFile(file));
  agent.drain();
  expect((await agent.done).kind).toBe('drained');
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'returned' });
  expect(await isAlive(pid)).toBe(false);
});

test('asked twice, an agent ends at once', async () => {
  const file = bench.path('pid');
  const agent = bench.agent({ grace_ms: 60_000 });
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${file}'` }));
  const pid = Number(await untilFile(file));
  agent.drain();
  agent.drain();
  const exit = await agent.done;
  expect(exit.kind).toBe('stopped');
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'returned' });
  expect(await isAlive(pid)).toBe(false);
});

test('an agent that is drained before it could register ends', async () => {
  bench.plane.goDown();
  const agent = bench.agent();
  agent.drain();
  expect((await agent.done).kind).toBe('stopped');
});

test('two agents cannot share a state directory', async () => {
  bench.agent();
  await bench.report({ command: 'true' });
  const second = await bench.agent().done;
  expect(second.kind).toBe('locked');
  expect(second.message).toContain(bench.data);
});

test('kill -9 of an agent: its next life ends all it had started, before it registers', async () => {
  const plain = bench.path('plain');
  const moved = bench.path('moved');
  const bare = bench.path('bare');
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${plain}'` }));
  bench.plane.offer(makeStage({ command: `${FIXTURES}/leak.sh '${moved}' stay` }));
  // No marker in its environment: found by its group.
  bench.plane.offer(makeStage({ command: `env -i /bin/bash ${FIXTURES}/forever.sh '${bare}' & wait` }));
  const { child, exited } = await bench.startProcess();
  const pids = await Promise.all([plain, moved, bare].map(async (file) => Number(await untilFile(file))));
  child.kill('SIGKILL');
  await exited;
  for (const pid of pids) expect(await isAlive(pid)).toBe(true);

  const registered = bench.plane.until(
    'the second registration',
    () => bench.plane.registrations.length === 2,
  );
  bench.agent();
  await registered;
  const aliveAtRegistration = await Promise.all(pids.map(isAlive));
  expect(aliveAtRegistration).toEqual([false, false, false]);
  expect(bench.plane.registrations[1]?.have).toEqual([]);
});

function isClaimOfNothing(entry: { route: string; body: unknown }): boolean {
  return entry.route === 'claim' && (entry.body as { slots: number }).slots === 0;
}
