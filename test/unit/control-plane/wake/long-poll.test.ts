import type { ClaimAnswer } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, listPlan, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { createSimulatedTimers, type SimulatedTimers } from '../../../support/simulated-timers.ts';
import { openTestApp, readJson, type TestApp } from '../../../support/test-app.ts';
import { watchWaiting } from '../../../support/watch-waiting.ts';

const POLL_MS = 50;

let server: TestApp;
let timers: SimulatedTimers;
let untilWaiting: ReturnType<typeof watchWaiting>['untilWaiting'];
let texts: string[];
beforeEach(async () => {
  timers = createSimulatedTimers();
  server = await openTestApp({ settings: { wake_poll_ms: POLL_MS }, ports: { timers } });
  ({ untilWaiting } = watchWaiting(server.deps.wake));
  texts = [];
  const { batch } = server.db;
  Object.assign(server.db, {
    batch: (...call: Parameters<typeof batch>) => {
      for (const statement of call[0]) texts.push(statement.sql);
      return batch.apply(server.db, call);
    },
  });
});
afterEach(() => server.close());

const EMPTY: ClaimAnswer = { leases: [], stages: [], stops: [] };

/** Long-polls that were sent, with the answer once it is there. */
function poll(name: string, session: number, change: { slots?: number; have?: number[] } = {}) {
  const held = { answer: null as ClaimAnswer | null, done: Promise.resolve() };
  held.done = claim(server, name, session, { ...change, wait: 25 }).then((answer) => {
    held.answer = answer;
  });
  return held;
}

/** Looks for work as time passes, until the answer is there: at most as often as it takes to look at everything. */
async function untilFound(held: ReturnType<typeof poll>): Promise<void> {
  for (let polls = 0; polls < 6 && held.answer === null; polls++)
    await Promise.race([held.done, timers.advance(POLL_MS)]);
  await held.done;
}

/** Claims that took the write lock. */
const claims = () => texts.filter((text) => text.includes('claim_no = claim_no + 1')).length;

test('a claim is answered at once when there is work', async () => {
  await submitPlan(server, planOf(['a']));
  const session = await register(server, 'one');
  const answer = await claim(server, 'one', session, { wait: 25 });
  expect(answer.leases).toHaveLength(1);
});

test('a claim that found nothing is answered as soon as work is submitted', async () => {
  const session = await register(server, 'one');
  const held = poll('one', session);
  await untilWaiting('one');
  expect(held.answer).toBeNull();
  const started = performance.now();
  await submitPlan(server, planOf(['a']));
  await held.done;
  expect(held.answer?.leases).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('of many waiting agents no more come than there are tasks', async () => {
  const agents = Array.from({ length: 60 }, (_, index) => `agent-${index}`);
  const polls: ReturnType<typeof poll>[] = [];
  for (const name of agents) polls.push(poll(name, await register(server, name), { slots: 1 }));
  for (const name of agents) await untilWaiting(name);
  const before = claims();
  let served10: () => void = () => undefined;
  const tenServed = new Promise<void>((resolve) => {
    served10 = resolve;
  });
  for (const held of polls)
    void held.done.then(() => {
      if (polls.filter(({ answer }) => answer !== null).length === 10) served10();
    });
  await submitPlan(server, listPlan(10));
  await tenServed;
  // A look more, which finds nothing left.
  await timers.advance(POLL_MS);
  const served = polls.filter((held) => held.answer !== null);
  expect(served).toHaveLength(10);
  expect(served.every((held) => held.answer?.leases.length === 1)).toBe(true);
  // Two could be after the same task for a moment; all sixty never are.
  expect(claims() - before).toBeLessThanOrEqual(15);

  await submitPlan(server, listPlan(50));
  await Promise.all(polls.map((held) => held.done));
  expect(polls.filter((held) => held.answer?.leases.length === 1)).toHaveLength(60);
}, 30_000);

test('an idle wait reads and never takes the write lock', async () => {
  const session = await register(server, 'one');
  const held = poll('one', session);
  await untilWaiting('one');
  const before = claims();
  for (let polls = 0; polls < 12; polls++) await timers.advance(POLL_MS);
  expect(claims()).toBe(before);
  server.deps.wake.close();
  await held.done;
  expect(held.answer).toEqual(EMPTY);
});

test('a result that releases the next task wakes another agent', async () => {
  await submitPlan(server, planOf(['a'], ['b', 'a']));
  const [one, two] = [await register(server, 'one'), await register(server, 'two')];
  const { leases } = await claim(server, 'one', one);
  const held = poll('two', two);
  await untilWaiting('two');
  const reports = leases.map((lease) => report(lease));
  await server.ask('agent', 'POST', '/v1/agents/one/results', { session: one, reports, claim: null });
  await held.done;
  expect(held.answer?.stages[0]?.key).toBe('b');
});

test('work that another instance made is found without being told', async () => {
  const session = await register(server, 'one');
  const held = poll('one', session);
  await untilWaiting('one');
  const { notify } = server.deps.wake;
  Object.assign(server.deps.wake, { notify: () => undefined });
  await submitPlan(server, planOf(['a']));
  await untilFound(held);
  Object.assign(server.deps.wake, { notify });
  expect(held.answer?.leases).toHaveLength(1);
});

test('a cancel reaches the agent through its long-poll', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const session = await register(server, 'one');
  const { leases } = await claim(server, 'one', session);
  const held = poll('one', session, { slots: 1, have: leases.map((lease) => lease.lease) });
  await untilWaiting('one');
  expect(held.answer).toBeNull();
  await server.ask('operate', 'POST', `/v1/batches/${batch_id}/cancel`);
  await held.done;
  expect(held.answer?.stops).toHaveLength(1);
});

test('a retry that becomes due wakes an agent, although nothing was written', async () => {
  await submitPlan(server, planOf(['a']));
  const session = await register(server, 'one');
  const { leases } = await claim(server, 'one', session);
  const failed = leases.map((lease) =>
    report(lease, { outcome: 'failed', error_type: 'worker', exit_code: 1 }),
  );
  await server.ask('agent', 'POST', '/v1/agents/one/results', { session, reports: failed, claim: null });
  const held = poll('one', session);
  await untilWaiting('one');
  await timers.advance(POLL_MS);
  expect(held.answer).toBeNull();
  server.clock.advance(20_000);
  await untilFound(held);
  expect(held.answer?.leases[0]?.attempt).toBe(2);
});

test('an agent that asks anew frees its former question', async () => {
  const session = await register(server, 'one');
  const first = poll('one', session);
  await untilWaiting('one');
  const second = poll('one', session);
  await first.done;
  await untilWaiting('one', 2);
  expect(first.answer).toEqual(EMPTY);
  await submitPlan(server, planOf(['a']));
  await second.done;
  expect(second.answer?.leases).toHaveLength(1);
});

test('nothing is claimed for an agent that has gone, and another one gets the task', async () => {
  const [one, two] = [await register(server, 'one'), await register(server, 'two')];
  const gone = new AbortController();
  const request = new Request('http://x/v1/agents/one/claim?wait=25', {
    method: 'POST',
    signal: gone.signal,
    headers: { authorization: `Bearer ${await server.token(['agent'])}` },
    body: JSON.stringify({ session: one, slots: 4, have: [] }),
  });
  const lost = Promise.resolve(server.app.request(request));
  await untilWaiting('one');
  const held = poll('two', two);
  await untilWaiting('two');
  gone.abort();
  expect(await readJson<ClaimAnswer>(await lost)).toEqual(EMPTY);
  await submitPlan(server, planOf(['a']));
  await held.done;
  expect(held.answer?.leases).toHaveLength(1);
});

test('a second process under the name ends the wait of the first one', async () => {
  const session = await register(server, 'one');
  const authorization = `Bearer ${await server.token(['agent'])}`;
  const waiting = Promise.resolve(
    server.app.request('/v1/agents/one/claim?wait=25', {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify({ session, slots: 4, have: [] }),
    }),
  );
  await untilWaiting('one');
  await register(server, 'one', { boot_id: 'another-process', started_at: 2 });
  await submitPlan(server, planOf(['a']));
  expect((await waiting).status).toBe(409);
});

test('a wait ends after the time that was asked for', async () => {
  const session = await register(server, 'one');
  const waiting = claim(server, 'one', session, { wait: 1 });
  await untilWaiting('one');
  server.clock.advance(1_000);
  const last = timers.advance(1_000);
  expect(await waiting).toEqual(EMPTY);
  await Promise.race([last, waiting]);
});
