import type { AgentView, ClaimAnswer, Page, ResultsAnswer } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  claim,
  hashOf,
  LIST_PLAN,
  planOf,
  register,
  registration,
  report,
  submitPlan,
} from '../../../support/api.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeEach(async () => {
  server = await openTestApp();
});
afterEach(() => server.close());

const post = (path: string, body: unknown) => server.ask('agent', 'POST', `/v1/agents/${path}`, body);

test('a registered agent is told the pace of the installation', async () => {
  const response = await post('register', registration('one'));
  expect(await readJson(response)).toEqual({
    session: 1,
    lease_ms: 35_000,
    heartbeat_ms: 10_000,
    poll_ms: 25_000,
    internal_cycle_ms: 5_000,
  });
});

test('an agent that is too old is told so, whatever else it says', async () => {
  const response = await post('register', { protocol: 0, some: 'older', shape: true });
  expect(response.status).toBe(426);
  expect((await readProblem(response)).code).toBe('agent_too_old');
  expect((await post('register', registration('one', { protocol: 99 }))).status).toBe(422);
});

test('a batch is run from claim to result, with the next tasks in the same answer', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  const first = await claim(server, 'one', session);
  const reports = first.leases.map((lease) => report(lease));
  const next = { session, slots: 4, have: [] };
  const answer = await readJson<ResultsAnswer>(await post('one/results', { session, reports, claim: next }));
  expect(answer.results).toEqual(['accepted']);
  expect(answer.claim?.stages.map((stage) => stage.key)).toEqual(['b']);
  const last = (answer.claim?.leases ?? []).map((lease) => report(lease));
  await post('one/results', { session, reports: last, claim: null });
  const batch = await readJson(await server.ask('read', 'GET', `/v1/batches/${batch_id}`));
  expect(batch).toMatchObject({ state: 'succeeded', succeeded: 2, finished_at: '2026-11-22T12:00:00.000Z' });
});

test('a heartbeat hears of a cancel', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const session = await register(server, 'one');
  const { leases } = await claim(server, 'one', session);
  await server.ask('operate', 'POST', `/v1/batches/${batch_id}/cancel`);
  const running = leases.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease }));
  const response = await post('one/heartbeat', { session, running });
  expect(await readJson(response)).toEqual({
    stops: running.map((lease) => ({ ...lease, kind: 'stop' })),
    gone: [],
  });
});

test.each<[string, (session: number) => unknown]>([
  ['claim', (session) => ({ session, slots: 1, have: [] })],
  ['results', (session) => ({ session, reports: [], claim: null })],
  ['heartbeat', (session) => ({ session, running: [] })],
  ['items', (session) => ({ session, list: 1, lease: 1, chunks: [chunk([1])] })],
])('%s of a process that was replaced is 409', async (route, body) => {
  const session = await register(server, 'one');
  await register(server, 'one', { boot_id: 'another-process', started_at: 2 });
  const response = await post(`one/${route}`, body(session));
  expect(response.status).toBe(409);
  expect((await readProblem(response)).code).toBe('session_superseded');
});

test('a token that is bound to an agent acts for that one only', async () => {
  const authorization = `Bearer ${await server.token(['agent'], { agent: 'one' })}`;
  const ask = (path: string, body: unknown) =>
    server.app.request(`/v1/agents/${path}`, {
      method: 'POST',
      headers: { authorization },
      body: JSON.stringify(body),
    });
  expect((await ask('register', registration('two'))).status).toBe(403);
  expect((await ask('register', registration('one'))).status).toBe(200);
  for (const route of ['claim', 'results', 'heartbeat', 'items'])
    expect((await ask(`two/${route}`, {})).status).toBe(403);
});

test('items are accepted when their hash is right, and refused at the chunk where it is not', async () => {
  const session = await register(server, 'one');
  await submitPlan(server, LIST_PLAN);
  const { leases, stages } = await claim(server, 'one', session);
  const [list] = stages[0]?.lists ?? [];
  const body = { session, list: list?.list, lease: leases[0]?.lease };
  const good = chunk([{ id: 'ä' }, 1, null, 'x'.repeat(10)]);
  expect((await post('one/items', { ...body, chunks: [good] })).status).toBe(200);
  const wrong = { ...chunk([2]), sha256: '0'.repeat(64) };
  const response = await post('one/items', { ...body, chunks: [good, wrong] });
  expect(response.status).toBe(422);
  expect((await readProblem(response))['issues']).toMatchObject([{ path: 'chunks.1.sha256' }]);
});

test('items of a lease that is over are a conflict', async () => {
  const session = await register(server, 'one');
  await submitPlan(server, LIST_PLAN);
  const response = await post('one/items', { session, list: 1, lease: 99, chunks: [chunk([1])] });
  expect([response.status, (await readProblem(response))['reason']]).toEqual([409, 'lease_lost']);
});

test('items that are nested without end are refused, since nothing could read them back', async () => {
  const session = await register(server, 'one');
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
  const body = `{"session":${session},"list":1,"lease":1,"chunks":[{"offset":0,"sha256":"${'0'.repeat(64)}","items":${deep}}]}`;
  const response = await post('one/items', body);
  expect([response.status, (await readProblem(response)).code]).toEqual([400, 'bad_json']);
});

test('a list that is complete makes the brain go on', async () => {
  const session = await register(server, 'one');
  await submitPlan(server, LIST_PLAN);
  server.deferred.length = 0;
  const { leases, stages } = await claim(server, 'one', session);
  const list = stages[0]?.lists[0]?.list ?? 0;
  const [lease] = leases as [ClaimAnswer['leases'][number]];
  const chunks = [0, 500].map((offset) => ({
    ...chunk(Array.from({ length: 500 }, (_, i) => offset + i)),
    offset,
  }));
  await post('one/items', { session, list, lease: lease.lease, chunks });
  const lists = [{ list, count: 1_000, chunks: chunks.map((each) => each.sha256) }];
  const response = await post('one/results', { session, reports: [report(lease, { lists })], claim: null });
  expect((await readJson<ResultsAnswer>(response)).results).toEqual(['accepted']);
  expect(server.deferred).toHaveLength(1);
});

test('agents are listed with what they hold and whether they are there', async () => {
  await submitPlan(server, planOf(['a']));
  const sessions = new Map<string, number>();
  for (const name of ['b', 'a', 'c']) sessions.set(name, await register(server, name, { labels: ['x'] }));
  server.clock.advance(30_000);
  await claim(server, 'a', sessions.get('a') ?? 0);
  server.clock.advance(10_000);
  const read = async (query: string) =>
    readJson<Page<AgentView>>(await server.ask('read', 'GET', `/v1/agents${query}`));
  const page = await read('?limit=2');
  expect(page.items.map(({ name, state, leased }) => [name, state, leased])).toEqual([
    ['a', 'connected', 1],
    ['b', 'missing', 0],
  ]);
  expect(page.items[0]).toMatchObject({ labels: ['x'], last_seen_at: '2026-11-22T12:00:30.000Z', slots: 4 });
  expect((await read(`?cursor=${page.next_cursor}`)).items.map(({ name }) => name)).toEqual(['c']);
});

test.each([
  '?wait=26',
  '?wait=-1',
  '?wait=x',
  '?wait=1&wait=2',
  '?hold=1',
])('claim%s is refused', async (query) => {
  const session = await register(server, 'one');
  expect((await post(`one/claim${query}`, { session, slots: 1, have: [] })).status).toBe(422);
});

function chunk(items: unknown[]) {
  return { offset: 0, items, sha256: hashOf(JSON.stringify(items)) };
}

test('a wait may be part of a second', async () => {
  const session = await register(server, 'one');
  expect((await post('one/claim?wait=0.25', { session, slots: 1, have: [] })).status).toBe(200);
});

test('a report of files that are not stored waits for them, and holds up no other', async () => {
  await submitPlan(server, planOf(['a'], ['b']));
  const session = await register(server, 'one');
  const { leases } = await claim(server, 'one', session);
  const [first, second] = leases as [ClaimAnswer['leases'][number], ClaimAnswer['leases'][number]];
  const file = { path: 'output/a', sha256: hashOf('content'), size: 7, mode: 0o644 };
  const reports = [report(first, { files: [file] }), report(second)];
  const results = async () =>
    (await readJson<ResultsAnswer>(await post('one/results', { session, reports, claim: null }))).results;
  expect(await results()).toEqual(['files_missing', 'accepted']);
  await server.ask('agent', 'PUT', `/v1/blobs/${file.sha256}`, 'content');
  // The other one is known already.
  expect(await results()).toEqual(['accepted', 'lease_lost']);
});

test('a task that failed needs no files to be told', async () => {
  await submitPlan(server, planOf(['a']));
  const session = await register(server, 'one');
  const { leases } = await claim(server, 'one', session);
  const files = [{ path: 'a', sha256: hashOf('never stored'), size: 1, mode: 0o644 }];
  const reports = leases.map((lease) => report(lease, { outcome: 'failed', error_type: 'worker', files }));
  const response = await post('one/results', { session, reports, claim: null });
  expect((await readJson<ResultsAnswer>(response)).results).toEqual(['accepted']);
});

test.each([
  '/etc/passwd',
  '../up',
  'a/../../up',
  './a',
  'a/.',
  'a//b',
  'a/',
  'a\0b',
])('a file at %j is refused: it would not stay in the folder of its batch', async (path) => {
  const session = await register(server, 'one');
  const lease = { stage: 1, ordinal: 0, lease: 1, attempt: 1 };
  const files = [{ path, sha256: hashOf(''), size: 0, mode: 0o644 }];
  const response = await post('one/results', { session, reports: [report(lease, { files })], claim: null });
  expect([response.status, (await readProblem(response))['issues']]).toEqual([
    422,
    [{ path: 'reports.0.files.0.path', message: expect.any(String) }],
  ]);
});

test('a file with more than permissions in its mode is refused', async () => {
  const session = await register(server, 'one');
  const lease = { stage: 1, ordinal: 0, lease: 1, attempt: 1 };
  const files = [{ path: 'a', sha256: hashOf(''), size: 0, mode: 0o4755 }];
  const response = await post('one/results', { session, reports: [report(lease, { files })], claim: null });
  expect(response.status).toBe(422);
});
