import type { DecisionView, Page } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, listPlan, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeEach(async () => {
  server = await openTestApp();
});
afterEach(() => server.close());

const read = async (query = '') =>
  readJson<Page<DecisionView>>(await server.ask('read', 'GET', `/v1/decisions${query}`));
const types = (page: Page<DecisionView>) => page.items.map((decision) => decision.type);
const results = (body: unknown) => server.ask('agent', 'POST', '/v1/agents/one/results', body);

/** A task of three tries that fails at each. */
async function abandon(): Promise<string> {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  for (let attempt = 1; attempt <= 3; attempt++) {
    const { leases } = await claim(server, 'one', session);
    const failed = { outcome: 'failed', error_type: 'worker', message: 'exit code 3', exit_code: 3 } as const;
    await results({ session, reports: leases.map((lease) => report(lease, failed)), claim: null });
    server.clock.advance(30_000);
  }
  return batch_id;
}

test('the life of a batch that fails is told, newest first, with what it is about', async () => {
  const id = await abandon();
  const { items } = await read(`?batch=${id}`);
  expect(items.map((decision) => [decision.type, decision.task, decision.attempt])).toEqual([
    ['BATCH_FAILED', null, null],
    ['ABANDON', `${id}:a:0`, 3],
    ['RETRY', `${id}:a:0`, 2],
    ['RETRY', `${id}:a:0`, 1],
    ['PLAN_PARSED', null, null],
  ]);
  expect(items[1]).toMatchObject({ agent: 'one', count: 1, stage: 'a', at: '2026-11-22T12:01:00.000Z' });
  expect(items.map((decision) => decision.message)).toEqual([
    `Batch ${id} failed: 0 of 2 tasks succeeded, 1 abandoned.`,
    'a:0 failed on one for the last of 3 times and is given up: exit code 3',
    expect.stringMatching(/^a:0 failed on one and is tried again in [345]\.\d s: exit code 3$/),
    expect.stringMatching(/^a:0 failed on one and is tried again in [12]\.\d s: exit code 3$/),
    `Plan Test of tester is batch ${id}: 2 stages, which begins with a.`,
  ]);
});

test('an ordinary success writes nothing but that stages open and that the batch is over', async () => {
  await submitPlan(server, planOf(['a'], ['b', 'a']));
  await submitPlan(server, listPlan(3));
  const session = await register(server, 'one');
  for (let round = 0; round < 2; round++) {
    const { leases } = await claim(server, 'one', session);
    await results({ session, reports: leases.map((lease) => report(lease)), claim: null });
  }
  expect(types(await read('?order=oldest'))).toEqual([
    'PLAN_PARSED',
    'PLAN_PARSED',
    'FOREACH_EXPAND',
    'TASK_RELEASED',
    'BATCH_COMPLETE',
    'BATCH_COMPLETE',
  ]);
});

test('many failures of one stage in one report are one decision with their number', async () => {
  await submitPlan(server, listPlan(4));
  const session = await register(server, 'one');
  const { leases } = await claim(server, 'one', session);
  const failed = { outcome: 'failed', error_type: 'worker', message: 'no disk' } as const;
  await results({ session, reports: leases.map((lease) => report(lease, failed)), claim: null });
  const { items } = await read('?type=RETRY');
  expect(items).toMatchObject([
    { count: 4, task: null, stage: 'each', details: { error_type: 'worker', ordinals: [0, 1, 2, 3] } },
  ]);
  expect(items[0]?.message).toMatch(
    /^4 tasks of each failed on one and are tried again in [\d.]+ s: no disk$/,
  );
});

test('an agent that falls silent and comes back is told once each, and so is what it lost', async () => {
  await submitPlan(server, planOf(['a']));
  const session = await register(server, 'one');
  await server.deps.brain.tick();
  server.clock.advance(5_000);
  const { leases } = await claim(server, 'one', session);
  for (let tick = 0; tick < 25; tick++) {
    server.clock.advance(5_000);
    await server.deps.brain.tick();
  }
  const lease = leases.map((each) => report(each));
  await results({ session, reports: lease, claim: null });
  const { items } = await read('?order=oldest');
  expect(items.slice(1).map(({ type, agent }) => [type, agent])).toEqual([
    ['LEASE_LOST', 'one'],
    ['AGENT_MISSING', 'one'],
    ['AGENT_BACK', 'one'],
    ['LATE_RESULT', 'one'],
    ['BATCH_COMPLETE', null],
  ]);
  expect(items[1]?.message).toBe(
    'a:0 is lost with agent one: The agent was not heard of in time. 1 ready again.',
  );
  expect(items[3]?.message).toBe('Agent one is heard of again after 125 s.');
});

test('pages go on where the last one ended, in both directions, and a follower hears what came after', async () => {
  await abandon();
  const all = (await read()).items.map((decision) => decision.id);
  const first = await read('?limit=2');
  const second = await read(`?limit=2&cursor=${first.next_cursor}`);
  const third = await read(`?limit=2&cursor=${second.next_cursor}`);
  expect([first, second, third].flatMap((page) => page.items.map((each) => each.id))).toEqual(all);
  expect(third.next_cursor).toBeNull();
  const after = await read(`?after=${all.at(-3)}`);
  expect(after.items.map((each) => each.id)).toEqual(all.slice(0, -3).reverse());
});

test.each([
  '?after=x',
  '?type=NONE',
  '?batch=x',
  '?order=up',
  '?after=1&order=newest',
  '?limit=0',
])('%s is refused', async (query) => {
  const response = await server.ask('read', 'GET', `/v1/decisions${query}`);
  expect([response.status, (await readProblem(response)).code]).toEqual([422, 'invalid']);
});

test('each decision goes to the log of the server once, a tick behind', async () => {
  const id = await abandon();
  server.log.length = 0;
  await server.deps.brain.tick();
  await server.deps.brain.tick();
  const told = server.log.filter((entry) => entry['event'] === 'decision');
  expect(told.map((entry) => entry['type'])).toEqual([
    'PLAN_PARSED',
    'RETRY',
    'RETRY',
    'ABANDON',
    'BATCH_FAILED',
  ]);
  expect(told[3]).toMatchObject({ level: 'info', batch_id: id, task: `${id}:a:0`, agent: 'one' });
});
