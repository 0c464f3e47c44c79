import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { randomFrom } from '../../support/random-from.ts';
import { AgentBench, FIXTURES, hastyDeps, isAlive, makeStage, untilFile } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

/** A stage whose tasks leave one line each in the journal, so that running twice shows. */
function journalStage(journal: string, seconds = 0) {
  return makeStage({ has_list: true, command: `${FIXTURES}/record.sh '${journal}' {ITEM} ${seconds}` });
}

async function starts(journal: string): Promise<number> {
  const text = await readFile(journal, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.startsWith('start')).length;
}

test('the answer to a claim is lost: the next one brings the leases, and nothing runs twice', async () => {
  const journal = bench.path('journal');
  bench.plane.loses.set('claim', 1);
  bench.plane.offer(journalStage(journal), ['a', 'b', 'c']);
  bench.agent({}, hastyDeps());
  await bench.plane.untilReports(3);
  expect(await starts(journal)).toBe(3);
  expect(bench.plane.late).toEqual([]);
});

test('the answer to the results is lost: they are sent again, and nothing runs twice', async () => {
  const journal = bench.path('journal');
  bench.plane.loses.set('results', 2);
  bench.plane.offer(journalStage(journal), ['a', 'b', 'c', 'd', 'e', 'f']);
  const agent = bench.agent({ slots: 2 }, hastyDeps());
  await bench.plane.untilReports(6);
  agent.drain();
  expect((await agent.done).kind).toBe('drained');
  expect(await starts(journal)).toBe(6);
  // Told twice, counted once.
  expect(bench.plane.late.length).toBeGreaterThan(0);
});

test('a lease that two answers bring runs once', async () => {
  const journal = bench.path('journal');
  bench.agent({ slots: 2 });
  await bench.plane.until('a poll', () => bench.plane.count('claim') > 0);
  bench.plane.offer(
    journalStage(journal),
    Array.from({ length: 40 }, (_, index) => index),
  );
  await bench.plane.untilReports(40);
  expect(await starts(journal)).toBe(40);
});

test('the control plane is down while tasks finish: the results wait and are delivered', async () => {
  const journal = bench.path('journal');
  const gate = bench.path('gate');
  bench.agent({}, hastyDeps());
  bench.plane.offer(
    makeStage({
      has_list: true,
      command: `echo start {ITEM} >> '${journal}'; while [ ! -e '${gate}' ]; do sleep 0.02; done; echo end >> '${journal}'`,
    }),
    ['a', 'b', 'c'],
  );
  await untilLines(journal, 3);
  bench.plane.goDown();
  await writeFile(gate, '');
  await untilLines(journal, 6);
  bench.plane.comeUp();
  await bench.plane.untilReports(3);
  expect(bench.plane.reports.every((report) => report.outcome === 'succeeded')).toBe(true);
  expect(await starts(journal)).toBe(3);
});

test('results outlive the agent: its next life delivers them and says at registration that it has them', async () => {
  const gate = bench.path('gate');
  const pid = bench.path('pid');
  const agent = bench.agent({ grace_ms: 20_000 }, hastyDeps());
  bench.plane.offer(
    makeStage({ command: `echo $$ > '${pid}'; while [ ! -e '${gate}' ]; do sleep 0.02; done; echo kept` }),
  );
  await untilFile(pid);
  bench.plane.goDown();
  agent.drain();
  await writeFile(gate, '');
  expect((await agent.done).kind).toBe('drained');
  expect(bench.plane.reports).toEqual([]);
  bench.plane.comeUp();
  bench.agent();
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]).toMatchObject({ outcome: 'succeeded', tail: 'kept\n' });
  expect(bench.plane.registrations.at(-1)?.have).toHaveLength(1);
});

test.each([
  1, 2, 3,
])('a network that loses, delays and doubles: every task runs once (seed %i)', async (seed) => {
  const journal = bench.path('journal');
  // The same seed, the same faults, as far as processes keep their pace.
  const draw = randomFrom(seed);
  const random = () => draw(2 ** 32) / 2 ** 32;
  const deps = hastyDeps();
  const faults = { lost: 0, answer_lost: 0, doubled: 0, delayed: 0 };
  const agent = bench.agent(
    { slots: 6 },
    {
      ...deps,
      transport: async (url, init) => {
        const dice = random();
        if (dice < 0.1) {
          faults.lost += 1;
          throw new TypeError('lost');
        }
        if (dice < 0.2 && !url.includes('register')) {
          faults.doubled += 1;
          void deps.transport(url, init).catch(() => undefined);
        }
        const answer = await deps.transport(url, init);
        if (dice > 0.7) {
          faults.delayed += 1;
          const text = await answer.text();
          await new Promise((resolve) => setTimeout(resolve, random() * 80));
          if (dice > 0.9) {
            faults.answer_lost += 1;
            throw new TypeError('answer lost');
          }
          return new Response(text, { status: answer.status, headers: answer.headers });
        }
        return answer;
      },
    },
  );
  bench.plane.offer(
    journalStage(journal),
    Array.from({ length: 120 }, (_, index) => index),
  );
  await bench.plane.untilReports(120);
  agent.drain();
  expect((await agent.done).kind).toBe('drained');
  expect(await starts(journal)).toBe(120);
  expect(bench.plane.reports.every((report) => report.outcome === 'succeeded')).toBe(true);
  for (const [fault, count] of Object.entries(faults)) expect([fault, count > 0]).toEqual([fault, true]);
});

test('rubbish, 429 and 500 are tried again', async () => {
  bench.plane.replaces.set('register', [
    { status: 500, body: 'oops' },
    { status: 200, body: '<html>a proxy says hello</html>' },
  ]);
  bench.plane.replaces.set('claim', [
    { status: 429, body: '{}' },
    { status: 200, body: '{"leases":"?"}' },
  ]);
  bench.plane.replaces.set('results', [
    { status: 503, body: '' },
    { status: 404, body: 'no such backend' },
  ]);
  bench.agent({}, hastyDeps());
  expect((await bench.report({ command: 'echo hi' })).tail).toBe('hi\n');
});

test.each([
  'items_incomplete',
  'files_missing',
])('%s: what the report names is sent again, and then the report', async (verdict) => {
  bench.plane.replaces.set('results', [
    { status: 200, body: JSON.stringify({ results: [verdict], claim: null }) },
  ]);
  bench.agent();
  bench.plane.offer(makeStage({ command: 'true' }));
  await bench.plane.untilReports(1);
  expect(bench.plane.reports.map((report) => report.outcome)).toEqual(['succeeded']);
});

test('one report that is refused does not hold back the others', async () => {
  bench.plane.refuses = (report) => report.tail.startsWith('bad');
  bench.plane.goDown();
  const agent = bench.agent({ slots: 8 }, hastyDeps());
  bench.plane.comeUp();
  bench.plane.offer(makeStage({ has_list: true, command: 'echo {ITEM}' }), [
    'a',
    'b',
    'bad',
    'c',
    'd',
    'bad',
  ]);
  await bench.plane.untilReports(6);
  agent.drain();
  expect((await agent.done).kind).toBe('drained');
  const outcomes = bench.plane.reports.map((report) => report.outcome).sort();
  expect(outcomes).toEqual(['failed', 'failed', 'succeeded', 'succeeded', 'succeeded', 'succeeded']);
  const failed = bench.plane.reports.find((report) => report.outcome === 'failed');
  expect(failed?.message).toContain('The control plane refused the report of this attempt');
});

test('a token that is not accepted is said at once, with what to do', async () => {
  const agent = bench.agent({ token: 'wrong' });
  const exit = await agent.done;
  expect(exit.kind).toBe('refused');
  expect(exit.message).toContain('does not accept the token');
  expect(exit.message).toContain('Make a token for the agent bench');
});

test('an agent that is too old stops with what the control plane says', async () => {
  bench.plane.replaces.set('register', [refusal(426, 'agent_too_old', 'run npm i -g planfleet')]);
  expect(await bench.agent().done).toEqual({ kind: 'too_old', message: 'run npm i -g planfleet' });
});

test('another process took the name over: own processes end, and so does the agent', async () => {
  const file = bench.path('pid');
  const agent = bench.agent();
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${file}'` }));
  const pid = Number(await untilFile(file));
  bench.agent({ data: bench.path('other-data') });
  const exit = await agent.done;
  expect(exit.kind).toBe('superseded');
  expect(exit.message).toContain('bench');
  expect(await isAlive(pid)).toBe(false);
});

test('cut off without a shared directory: the work goes on', async () => {
  await bench.close();
  bench = await AgentBench.open({ lease_ms: 600 });
  const gate = bench.path('gate');
  const file = bench.path('pid');
  bench.agent({}, hastyDeps());
  bench.plane.offer(
    makeStage({ command: `echo $$ > '${file}'; while [ ! -e '${gate}' ]; do sleep 0.02; done` }),
  );
  await untilFile(file);
  bench.plane.goDown();
  // Twice the lease: time is what this is about.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  await writeFile(gate, '');
  bench.plane.comeUp();
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]?.outcome).toBe('succeeded');
});

test('a task that a long poll brings at its end is not cut off for the time that the poll was held', async () => {
  await bench.close();
  bench = await AgentBench.open({ lease_ms: 2_000, heartbeat_ms: 600, poll_ms: 3_000 });
  bench.agent({ shared_dir: bench.path('shared') });
  await bench.plane.until('a claim', () => bench.plane.claims > 0);
  // Longer than what an agent trusts a lease for (1.5 s): how long the poll was held is what this is about.
  await new Promise((resolve) => setTimeout(resolve, 1_700));
  bench.plane.offer(makeStage({ command: 'sleep 0.4' }));
  await bench.plane.untilReports(1);
  expect(bench.plane.reports.map((report) => report.outcome)).toEqual(['succeeded']);
});

test('cut off with a shared directory: processes end before the lease does', async () => {
  await bench.close();
  bench = await AgentBench.open({ lease_ms: 1_500 });
  const file = bench.path('pid');
  bench.agent({ shared_dir: bench.path('shared') });
  bench.plane.offer(makeStage({ command: `${FIXTURES}/ignore-term.sh '${file}'` }));
  const pid = Number(await untilFile(file));
  await bench.plane.until('a beat', () => bench.plane.beats.length > 0);
  bench.plane.goDown();
  const downAt = performance.now();
  while (await isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(performance.now() - downAt).toBeLessThan(1_500);
  bench.plane.comeUp();
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]?.outcome).toBe('returned');
  expect(bench.plane.registrations[0]?.storage).toMatch(/^shared:[0-9a-f]{32}$/);
});

function refusal(status: number, code: string, detail = 'refused') {
  return { status, body: JSON.stringify({ type: 'about:blank', title: code, status, detail, code }) };
}

/** Waits until a file has so many lines. */
async function untilLines(path: string, count: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text.split('\n').length - 1 >= count) return;
    if (Date.now() > deadline) throw new Error(`${path} never had ${count} lines`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
