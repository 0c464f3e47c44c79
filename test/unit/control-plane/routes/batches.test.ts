import type {
  BatchView,
  ClaimAnswer,
  FileView,
  Page,
  StageView,
  TaskDetail,
  TaskView,
} from '@planfleet/shared-types';
import { batchViewSchema, fileViewSchema, stageViewSchema, taskDetailSchema } from '@planfleet/shared-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claim, hashOf, listPlan, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
let session: number;
beforeAll(async () => {
  server = await openTestApp();
  session = await register(server, 'one', { slots: 100 });
});
afterAll(() => server.close());

async function read<T>(path: string): Promise<T> {
  const response = await server.ask('read', 'GET', path);
  expect([path, response.status]).toEqual([path, 200]);
  return readJson<T>(response);
}

async function readAll<T>(path: string, limit: number): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const query: string = `limit=${limit}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const page: Page<T> = await read(`${path}${path.includes('?') ? '&' : '?'}${query}`);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}

async function finish(lease: ClaimAnswer['leases'][number], change: Parameters<typeof report>[1] = {}) {
  const body = { session, reports: [report(lease, change)], claim: null };
  const response = await server.ask('agent', 'POST', '/v1/agents/one/results', body);
  expect(await readJson(response)).toMatchObject({ results: ['accepted'] });
}

test('batches are listed newest first, page by page', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.push((await submitPlan(server, planOf(['a'], ['b', 'a']))).batch_id);
  const listed = await readAll<BatchView>('/v1/batches', 3);
  expect(listed.slice(0, 7).map((batch) => batch.id)).toEqual(ids.reverse());
  for (const batch of listed) batchViewSchema.parse(batch);
  for (const id of ids) await server.ask('operate', 'POST', `/v1/batches/${id}/cancel`);
});

test('stages come in the order of the plan, with what they wait for', async () => {
  const { batch_id } = await submitPlan(server, planOf(['z'], ['a', 'z'], ['m', 'z, a']));
  const { items } = await read<Page<StageView>>(`/v1/batches/${batch_id}/stages`);
  for (const stage of items) stageViewSchema.parse(stage);
  expect(
    items.map(({ key, state, depends_on, ready, waiting }) => ({ key, state, depends_on, ready, waiting })),
  ).toEqual([
    { key: 'z', state: 'open', depends_on: [], ready: 1, waiting: 0 },
    { key: 'a', state: 'waiting', depends_on: ['z'], ready: 0, waiting: 1 },
    { key: 'm', state: 'waiting', depends_on: ['a', 'z'], ready: 0, waiting: 1 },
  ]);
  await server.ask('operate', 'POST', `/v1/batches/${batch_id}/cancel`);
});

describe('tasks', () => {
  let id: string;
  beforeAll(async () => {
    const markdown = `${listPlan(25)}\n### after\n- **command**: \`true\`\n- **task_class**: cpu\n- **depends_on**: each\n`;
    id = (await submitPlan(server, markdown)).batch_id;
    const { leases } = await claim(server, 'one', session, { slots: 5 });
    expect(leases).toHaveLength(5);
    const failure = {
      outcome: 'failed',
      error_type: 'worker',
      message: 'exit 3',
      exit_code: 3,
      tail: 'no',
    } as const;
    const changes = [{}, failure, { ended_at: Number.MAX_SAFE_INTEGER, started_at: 0 }];
    for (const [index, change] of changes.entries()) {
      const lease = leases[index];
      if (lease !== undefined) await finish(lease, change);
    }
  });

  test.each([1, 4, 26, 500])('are listed in the order of the plan, %i at a time', async (limit) => {
    const tasks = await readAll<TaskView>(`/v1/batches/${id}/tasks`, limit);
    expect(tasks.map((task) => task.name)).toEqual([
      ...Array.from({ length: 25 }, (_, i) => `each_${i}`),
      'after',
    ]);
    expect(tasks[3]?.item).toEqual({ id: 3 });
    expect(tasks[3]?.id).toBe(`${id}:each:3`);
  });

  test.each([
    ['succeeded', 2],
    ['backoff', 1],
    ['leased', 2],
    ['ready', 20],
    // Its row is ready, but its stage waits.
    ['waiting', 1],
    ['abandoned', 0],
  ])('in the state %s are %i', async (state, count) => {
    const tasks = await readAll<TaskView>(`/v1/batches/${id}/tasks?state=${state}`, 3);
    expect(tasks).toHaveLength(count);
    expect(tasks.every((task) => task.state === state)).toBe(true);
  });

  test('of one stage are found by its name', async () => {
    expect(await readAll(`/v1/batches/${id}/tasks?stage=after`, 10)).toHaveLength(1);
    expect(await readAll(`/v1/batches/${id}/tasks?stage=none`, 10)).toHaveLength(0);
  });

  test('are told with their command and every attempt', async () => {
    const detail = taskDetailSchema.parse(await read<TaskDetail>(`/v1/tasks/${id}:each:1`));
    expect(detail).toMatchObject({
      state: 'backoff',
      command: 'echo {ITEM.id}',
      attempts: 1,
      tries: 1,
      agent: null,
    });
    expect(detail.not_before).not.toBeNull();
    expect(detail.history).toMatchObject([
      {
        attempt: 1,
        agent: 'one',
        outcome: 'failed',
        exit_code: 3,
        message: 'exit 3',
        tail: 'no',
        late: false,
      },
    ]);
    expect(await read(`/v1/tasks/${id}:each:1/attempts`)).toEqual({
      items: detail.history,
      next_cursor: null,
    });
  });

  test('with times that no calendar has are shown all the same', async () => {
    const detail = taskDetailSchema.parse(await read<TaskDetail>(`/v1/tasks/${id}:each:2`));
    expect(detail.history[0]?.ended_at).toBe('9999-12-31T23:59:59.999Z');
  });

  test('the only one of a stage needs no number', async () => {
    expect(await read<TaskDetail>(`/v1/tasks/${id}:after`)).toMatchObject({
      id: `${id}:after:0`,
      name: 'after',
    });
  });

  test.each([
    'x',
    'none:each:0',
    '20261122_120000',
    '20261122_120000:each:999',
    '20001122_120000:each:0',
  ])('%s is no task', async (task) => {
    for (const rest of ['', '/attempts']) {
      expect((await server.ask('read', 'GET', `/v1/tasks/${encodeURIComponent(task)}${rest}`)).status).toBe(
        404,
      );
    }
  });

  test.each([
    '?state=done',
    '?limit=0',
    '?limit=501',
    '?limit=1e2',
    '?cursor=x',
    '?cursor=',
    '?colour=red',
  ])('listed with %s are refused', async (query) => {
    expect((await server.ask('read', 'GET', `/v1/batches/${id}/tasks${query}`)).status).toBe(422);
  });
});

describe('files', () => {
  const content = new TextEncoder().encode('a,b\n1,2\n');
  const sha256 = hashOf(content);
  const paths = ['output/a b.csv', 'output/line\r\nend.csv', 'output/sub/ü#?%.csv', 'output/x.csv'];
  let id: string;
  beforeAll(async () => {
    id = (await submitPlan(server, planOf(['make']), '?priority=10')).batch_id;
    await server.ask('agent', 'PUT', `/v1/blobs/${sha256}`, content);
    const { leases } = await claim(server, 'one', session, { slots: 100, have: [] });
    const lease = leases.at(-1);
    if (lease === undefined) throw new Error('Nothing was claimed.');
    await finish(lease, {
      files: paths.map((path) => ({ path, sha256, size: content.length, mode: 0o644 })),
    });
  });

  test('are listed by path', async () => {
    const files = await readAll<FileView>(`/v1/batches/${id}/files`, 2);
    for (const file of files) fileViewSchema.parse(file);
    expect(files.map((file) => file.path)).toEqual([...paths].sort());
    expect(files[0]).toMatchObject({ sha256, size: content.length, attempt: 1, task: `${id}:make:0` });
  });

  test.each(paths)('%s comes as bytes that no browser shows', async (path) => {
    const address = `/v1/batches/${id}/files/${path.split('/').map(encodeURIComponent).join('/')}`;
    const response = await server.ask('read', 'GET', address);
    expect(response.status).toBe(200);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(content);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(content.length),
      'x-content-type-options': 'nosniff',
      etag: `"${sha256}"`,
    });
    const again = await server.ask('read', 'GET', address, undefined, { 'if-none-match': `"${sha256}"` });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const head = await server.ask('read', 'HEAD', address);
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test.each([
    'none',
    '..%2f..%2fetc%2fpasswd',
    '%2fetc%2fpasswd',
    '%00',
    '%ff',
    '%',
  ])('%s is no file', async (path) => {
    expect((await server.ask('read', 'GET', `/v1/batches/${id}/files/${path}`)).status).toBe(404);
  });
});

describe('cancel', () => {
  test('ends a batch that runs nowhere at once, and a second time is a conflict', async () => {
    const { batch_id } = await submitPlan(server, planOf(['a']));
    const cancel = () => server.ask('operate', 'POST', `/v1/batches/${batch_id}/cancel`);
    expect(await readJson(await cancel())).toEqual({ batch_id, state: 'cancelled' });
    const again = await cancel();
    expect(again.status).toBe(409);
    expect(await readProblem(again)).toMatchObject({ code: 'conflict', state: 'cancelled' });
  });
});

test.each([
  '',
  '/stages',
  '/tasks',
  '/files',
  '/files/x',
])('a batch that is not there: %s is 404', async (rest) => {
  expect((await server.ask('read', 'GET', `/v1/batches/20001122_120000${rest}`)).status).toBe(404);
  expect((await server.ask('read', 'GET', `/v1/batches/nonsense${rest}`)).status).toBe(422);
});
