import type { BatchEvent, DecisionEvent, EndEvent, StageEvent } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { type EventReader, readEvents } from '../../../support/read-events.ts';
import { createSimulatedTimers, type SimulatedTimers } from '../../../support/simulated-timers.ts';
import { openTestApp, readProblem, type TestApp } from '../../../support/test-app.ts';

const POLL_MS = 700;

let server: TestApp;
let timers: SimulatedTimers;
let looks: number;
const opened: EventReader[] = [];
beforeEach(async () => {
  timers = createSimulatedTimers();
  server = await openTestApp({ ports: { timers } });
  looks = 0;
  const { batch } = server.db;
  Object.assign(server.db, {
    batch: (...call: Parameters<typeof batch>) => {
      if (call[0].some(({ sql }) => sql.includes('FROM batches b LEFT JOIN stages'))) looks += 1;
      return batch.apply(server.db, call);
    },
  });
});
afterEach(async () => {
  for (const reader of opened.splice(0)) await reader.cancel();
  await server.close();
});

async function watch(batchId: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const response = await server.ask('read', 'GET', `/v1/batches/${batchId}/events`, undefined, headers);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const reader = readEvents(response);
  opened.push(reader);
  return reader;
}

/** The next event that is no decision, while time passes. */
async function nextEvent(reader: EventReader) {
  for (;;) {
    const event = await nextOfAll(reader);
    if (event?.event !== 'decision') return event;
  }
}

async function nextOfAll(reader: EventReader) {
  const event = reader.next();
  let found = false;
  void event.then(() => {
    found = true;
  });
  for (let polls = 0; polls < 100 && !found; polls++) await Promise.race([event, timers.advance(POLL_MS)]);
  return event;
}

async function runAll(agent: string, session: number): Promise<void> {
  const { leases } = await claim(server, agent, session);
  const reports = leases.map((lease) => report(lease));
  const path = `/v1/agents/${agent}/results`;
  expect((await server.ask('agent', 'POST', path, { session, reports, claim: null })).status).toBe(200);
}

test('a stream begins with the batch and all its stages, goes on with what changes, and ends with the batch', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  const reader = await watch(batch_id);
  const first = await nextEvent(reader);
  expect(first).toMatchObject({ event: 'batch', data: { id: batch_id, state: 'active', total: 2 } });
  expect((first?.data as BatchEvent).stages?.map(({ key }) => key)).toEqual(['a', 'b']);

  await runAll('one', session);
  const stage = await nextEvent(reader);
  expect(stage?.event).toBe('stage');
  expect((stage?.data as StageEvent).items.map(({ key, state }) => [key, state])).toEqual([
    ['a', 'done'],
    ['b', 'open'],
  ]);
  const changed = await nextEvent(reader);
  expect(changed).toMatchObject({ event: 'batch', data: { succeeded: 1 } });
  expect(changed?.data).not.toHaveProperty('stages');

  await runAll('one', session);
  const rest = [await nextEvent(reader), await nextEvent(reader), await nextEvent(reader)];
  expect(rest.map((event) => event?.event)).toEqual(['stage', 'batch', 'end']);
  expect((rest[2]?.data as EndEvent).state).toBe('succeeded');
  expect(await nextEvent(reader)).toBeNull();
  expect(server.deps.watch.size).toBe(0);
});

test('only the last event of what was found together has an id', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  const reader = await watch(batch_id);
  expect((await nextEvent(reader))?.id).toMatch(/^[0-9a-f]{16}\.\d+$/);
  await runAll('one', session);
  expect((await nextEvent(reader))?.id).toBeNull();
  expect((await nextEvent(reader))?.id).toMatch(/^[0-9a-f]{16}\.\d+$/);
});

test('a client that comes back is told only what it has not seen', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  const before = await nextEvent(await watch(batch_id));
  const again = await watch(batch_id, { 'last-event-id': before?.id ?? '' });
  await runAll('one', session);
  expect((await nextEvent(again))?.event).toBe('stage');
  const missed = await nextEvent(await watch(batch_id, { 'last-event-id': before?.id ?? '' }));
  expect(missed).toMatchObject({ event: 'batch', data: { succeeded: 1, stages: [{}, {}] } });
});

test('decisions are told as they are made, and those that a lost stream missed', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  const reader = await watch(batch_id);
  const first = await nextOfAll(reader);
  expect(first?.event).toBe('batch');
  await runAll('one', session);
  const told = await nextOfAll(reader);
  expect(told?.event).toBe('decision');
  const decisions = (told?.data as DecisionEvent).items;
  expect(decisions.map(({ type }) => type)).toEqual(['TASK_RELEASED']);

  const again = await watch(batch_id, { 'last-event-id': first?.id ?? '' });
  expect((await nextOfAll(again))?.event).toBe('batch');
  expect(await nextOfAll(again)).toMatchObject({ event: 'decision', data: { items: decisions } });
});

test('what is no id of an event is no id', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  for (const id of ['', 'x', '1.2.3', `${'9'.repeat(40)}.${'9'.repeat(40)}`]) {
    const reader = await watch(batch_id, { 'last-event-id': id });
    expect((await nextOfAll(reader))?.event).toBe('batch');
  }
});

test('who has seen the end is told to ask no more', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const session = await register(server, 'one');
  await runAll('one', session);
  const reader = await watch(batch_id);
  expect((await nextEvent(reader))?.event).toBe('batch');
  const end = await nextEvent(reader);
  expect(end?.event).toBe('end');
  expect(await nextEvent(reader)).toBeNull();
  const headers = { 'last-event-id': end?.id ?? '' };
  const response = await server.ask('read', 'GET', `/v1/batches/${batch_id}/events`, undefined, headers);
  expect([response.status, await response.text()]).toEqual([204, '']);
  expect(server.deps.watch.size).toBe(0);
});

test('however many watch a batch, it is looked at once per interval, and not at all when they have gone', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const readers: EventReader[] = [];
  for (let count = 0; count < 20; count++) readers.push(await watch(batch_id));
  for (const reader of readers) expect((await nextEvent(reader))?.event).toBe('batch');
  expect(server.deps.watch.size).toBe(20);
  looks = 0;
  for (let polls = 0; polls < 10; polls++) await timers.advance(POLL_MS);
  expect(looks).toBeGreaterThanOrEqual(5);
  expect(looks).toBeLessThanOrEqual(10);
  for (const reader of readers) await reader.cancel();
  expect(server.deps.watch.size).toBe(0);
  looks = 0;
  // Nobody sets a timer any more, so that this advance never ends.
  void timers.advance(POLL_MS);
  await new Promise((resolve) => setImmediate(resolve));
  expect(looks).toBe(0);
});

test('many changes between two looks are one event of each kind', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a'], ['c', 'b'], ['d', 'c'], ['e']));
  const session = await register(server, 'one');
  const reader = await watch(batch_id);
  await nextEvent(reader);
  for (let rounds = 0; rounds < 3; rounds++) await runAll('one', session);
  expect([(await nextEvent(reader))?.event, (await nextEvent(reader))?.event]).toEqual(['stage', 'batch']);
  await runAll('one', session);
  expect((await nextEvent(reader))?.event).toBe('stage');
});

test('a silent stream sends signs of life, and ends when its time is over', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const reader = await watch(batch_id);
  await nextEvent(reader);
  const end = reader.next();
  let ended = false;
  void end.then(() => {
    ended = true;
  });
  for (let seconds = 0; seconds < 400 && !ended; seconds++) {
    server.clock.advance(1_000);
    await Promise.race([end, timers.advance(1_000)]);
  }
  expect(await end).toBeNull();
  expect(reader.comments).toBeGreaterThanOrEqual(15);
  expect(server.deps.watch.size).toBe(0);
});

test('a revoked token hears nothing more', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  const authorization = `Bearer ${await server.token(['read'], { jti: 'watcher' })}`;
  const reader = await watch(batch_id, { authorization });
  await nextEvent(reader);
  expect((await server.ask('admin', 'DELETE', '/v1/tokens/watcher')).status).toBe(200);
  await runAll('one', session);
  expect(await nextEvent(reader)).toBeNull();
});

test('a server that closes ends the streams', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const reader = await watch(batch_id);
  await nextEvent(reader);
  server.deps.watch.close();
  expect(await nextEvent(reader)).toBeNull();
});

test('HEAD leaves nobody watching, and a batch that is not there is 404', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const head = await server.ask('read', 'HEAD', `/v1/batches/${batch_id}/events`);
  expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  const missing = await server.ask('read', 'GET', '/v1/batches/20200101_000000/events');
  expect((await readProblem(missing)).code).toBe('not_found');
  expect(server.deps.watch.size).toBe(0);
});
