import type { Page, Scope } from '@planfleet/shared-types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operations } from '../../../../control-plane/src/routes/openapi/operations.ts';
import { planOf, register, submitPlan } from '../../../support/api.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
let batch = '';
let count = 0;

interface List {
  readonly route: string;
  readonly path: () => string;
  readonly scope?: Scope;
  /** What tells its items apart. */
  readonly key: string;
  /** Makes one more of them, wherever it comes to stand; none: there are never more than from the start. */
  readonly add: (() => Promise<unknown>) | null;
  readonly bad: readonly string[];
}

const NUMBERS = ['x', '-1', '1.5', '1e3', '9'.repeat(16)];
const NAMES = ['-', 'a b', 'a/b', "'", 'x'.repeat(300)];

/** A name before or after those that there are, in no order. */
const nextName = () => `${(count++ * 7) % 10}-${count}`;

async function insert(table: string, values: Record<string, string | number>): Promise<void> {
  const columns = Object.keys(values);
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((name) => `:${name}`).join(', ')})`;
  await server.db.batch([{ sql, params: values }], 'write');
}

const putPlan = (name: string) =>
  server.ask('submit', 'PUT', `/v1/plans/${name}`, planOf([`t${count++}`]), {
    'content-type': 'text/markdown',
  });

const insertAttempt = () =>
  insert('attempts', {
    ...{ stage_id: 1, ordinal: 0, attempt: ++count, agent_id: 1, outcome: 'failed' },
    ...{ claimed_at: 1, ended_at: 2, tail: '' },
  });

const LISTS: readonly List[] = [
  {
    route: 'GET /v1/batches',
    path: () => '/v1/batches',
    key: 'id',
    add: () => submitPlan(server, planOf(['a'])),
    bad: NUMBERS,
  },
  {
    route: 'GET /v1/batches/{id}/stages',
    path: () => `/v1/batches/${batch}/stages`,
    key: 'key',
    add: null,
    bad: NUMBERS,
  },
  {
    route: 'GET /v1/batches/{id}/tasks',
    path: () => `/v1/batches/${batch}/tasks`,
    key: 'id',
    add: null,
    bad: ['1', '1.', '.1', '1.2.3', 'a.b', '-1.0', `1.${'9'.repeat(10)}`],
  },
  {
    route: 'GET /v1/batches/{id}/files',
    path: () => `/v1/batches/${batch}/files`,
    key: 'path',
    add: () =>
      insert('files', {
        ...{ batch_seq: 1, path: `output/${nextName()} ü.txt`, sha256: 'x', size: 1, mode: 0o644 },
        ...{ stage_id: 1, ordinal: 0, attempt: 1 },
      }),
    bad: ['/etc/passwd', '../x', 'a//b', 'x'.repeat(5_000)],
  },
  {
    route: 'GET /v1/tasks/{id}/attempts',
    path: () => `/v1/tasks/${batch}:a/attempts`,
    key: 'attempt',
    add: () => insertAttempt(),
    bad: NUMBERS,
  },
  {
    route: 'GET /v1/batches/{id}/timeline',
    path: () => `/v1/batches/${batch}/timeline`,
    key: 'attempt',
    add: () => insertAttempt(),
    bad: ['1', '1.2', '1.2.', '1.2.x', '-1.0.0', `1.1.${'9'.repeat(10)}`],
  },
  {
    route: 'GET /v1/agents',
    path: () => '/v1/agents',
    key: 'name',
    add: () => register(server, nextName()),
    bad: NAMES,
  },
  {
    route: 'GET /v1/tokens',
    path: () => '/v1/tokens',
    scope: 'admin',
    key: 'jti',
    add: () => server.ask('admin', 'POST', '/v1/tokens', { subject: 'x', scopes: ['read'] }),
    bad: NAMES.slice(1),
  },
  {
    route: 'GET /v1/plans',
    path: () => '/v1/plans',
    key: 'name',
    add: () => putPlan(nextName()),
    bad: NAMES,
  },
  {
    route: 'GET /v1/plans/{name}/versions',
    path: () => '/v1/plans/many/versions',
    key: 'version',
    add: () => putPlan('many'),
    bad: NUMBERS,
  },
  {
    route: 'GET /v1/decisions',
    path: () => '/v1/decisions',
    key: 'id',
    add: () => submitPlan(server, planOf(['a'])),
    bad: NUMBERS,
  },
];

beforeAll(async () => {
  server = await openTestApp();
  ({ batch_id: batch } = await submitPlan(server, planOf(['a'], ['b'], ['c', 'a'], ['d'], ['e'])));
  await register(server, 'one');
  for (const { add } of LISTS) for (let i = 0; i < 5; i++) await add?.();
});
afterAll(() => server.close());

test('this table has every list that there is', () => {
  const paged = Object.entries(operations).filter(
    ([route, { query }]) => route.startsWith('GET') && query !== undefined && 'cursor' in query.shape,
  );
  expect(LISTS.map(({ route }) => route).sort()).toEqual(paged.map(([route]) => route).sort());
  // A list that had no cursor would be one that is always whole.
  const pages = Object.entries(operations).filter(([, { answers }]) =>
    JSON.stringify(answers).includes('next_cursor'),
  );
  expect(
    pages.map(([route]) => route).filter((route) => !LISTS.some((list) => list.route === route)),
  ).toEqual([]);
});

describe.each(LISTS.map((list) => [list.route, list] as const))('%s', (_route, {
  path,
  scope = 'read',
  key,
  add,
  bad,
}) => {
  const ask = (query: Record<string, string>) =>
    server.ask(scope, 'GET', `${path()}?${new URLSearchParams(query)}`);

  async function readKeys(limit: string, between: () => Promise<unknown>): Promise<unknown[]> {
    const keys: unknown[] = [];
    let cursor: string | null = null;
    do {
      const response = await ask({ limit, ...(cursor === null ? {} : { cursor }) });
      expect(response.status).toBe(200);
      const page: Page<Record<string, unknown>> = await readJson(response);
      expect(page.items.length).toBeLessThanOrEqual(Number(limit));
      keys.push(...page.items.map((item) => item[key]));
      cursor = page.next_cursor;
      await between();
    } while (cursor !== null && keys.length < 100);
    return keys;
  }

  test('its pages hold each item once, whatever comes in between them', async () => {
    const before = await readKeys('50', async () => undefined);
    expect(before.length).toBeGreaterThanOrEqual(5);
    let added = 0;
    const seen = await readKeys('2', async () => {
      if (added++ < 4) await add?.();
    });
    expect(new Set(seen).size).toBe(seen.length);
    expect(before.filter((each) => !seen.includes(each))).toEqual([]);
    // In the same order, too.
    expect(seen.filter((each) => before.includes(each))).toEqual(before);
  });

  test.each(['', ...bad])('the cursor "%s" is refused and named', async (cursor) => {
    const response = await ask({ cursor });
    const problem = await readProblem(response);
    expect([response.status, problem['issues']]).toEqual([
      422,
      [{ path: 'cursor', message: 'a cursor is what next_cursor of the page before said' }],
    ]);
  });

  test.each(['0', '501', '-1', 'all', ''])('the limit "%s" is refused and named', async (limit) => {
    const response = await ask({ limit });
    const problem = await readProblem(response);
    expect([response.status, problem.detail]).toEqual([
      422,
      expect.stringMatching(/^limit: limit is a number from 1 to \d+/),
    ]);
  });

  test('a parameter that it does not have is refused', async () => {
    expect((await ask({ page: '2' })).status).toBe(422);
  });
});
