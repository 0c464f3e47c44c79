import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { BatchView, Page, Submitted } from '@planfleet/shared-types';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashOf, planOf } from '../../../support/api.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
const http = createServer();
let url: string;
let token: string;
let key: string;
let count = 0;
beforeAll(async () => {
  server = await openTestApp();
  token = await server.token(['submit', 'read']);
  http.on('request', getRequestListener(server.app.fetch));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(async () => {
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
  await server.close();
});
beforeEach(() => {
  key = `key ${count++}`;
});

interface Change {
  readonly body?: string;
  readonly query?: string;
  readonly key?: string;
  readonly token?: string;
}

/** Over real HTTP, under the key of the test. */
function submit(change: Change = {}): Promise<Response> {
  return fetch(`${url}/v1/batches${change.query ?? ''}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${change.token ?? token}`,
      'content-type': 'text/markdown',
      'idempotency-key': change.key ?? key,
    },
    body: change.body ?? planOf(['a'], ['b', 'a']),
  });
}

function submitByName(body: unknown): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'idempotency-key': key,
  };
  return fetch(`${url}/v1/batches`, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function listIds(): Promise<string[]> {
  const page = await readJson<Page<BatchView>>(await server.ask('read', 'GET', '/v1/batches?limit=500'));
  return page.items.map((batch) => batch.id);
}

describe('a repeated submission', () => {
  test('gets the first answer again, and makes no second batch', async () => {
    const first = await submit();
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
    const submitted = await readJson<Submitted>(first);
    const before = await listIds();
    const again = await submit();
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    expect(again.headers.get('location')).toBe(submitted.links['self']);
    expect(await readJson(again)).toEqual(submitted);
    expect(await listIds()).toEqual(before);
  });

  test('gets the warnings again', async () => {
    const body = `${planOf(['a'])}- **colour**: red\n`;
    const submitted = await readJson<Submitted>(await submit({ body }));
    expect(submitted.diagnostics).not.toEqual([]);
    expect(await readJson(await submit({ body }))).toEqual(submitted);
  });

  test('many at once make one batch', async () => {
    const before = await listIds();
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit()));
    expect(answers.map(({ status }) => status).filter((status) => status === 201)).toHaveLength(1);
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(19);
    const bodies = await Promise.all(answers.map((answer) => readJson<Submitted>(answer)));
    expect(new Set(bodies.map((body) => JSON.stringify(body))).size).toBe(1);
    expect(await listIds()).toHaveLength(before.length + 1);
    expect(server.log).toEqual([]);
  });

  test('finds the batch of the first one whose answer nobody heard', async () => {
    const before = await listIds();
    const body = planOf(['lost']);
    const head = [
      'POST /v1/batches HTTP/1.1',
      'host: x',
      `authorization: Bearer ${token}`,
      'content-type: text/markdown',
      `idempotency-key: ${key}`,
      `content-length: ${Buffer.byteLength(body)}`,
    ];
    const socket = connect((http.address() as AddressInfo).port, '127.0.0.1');
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    // The whole request is sent; the first byte of the answer is the last that is seen of it.
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    const again = await submit({ body });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, 'true']);
    const { batch_id } = await readJson<Submitted>(again);
    const after = await listIds();
    expect(after.filter((id) => !before.includes(id))).toEqual([batch_id]);
  });

  test.each<[string, Change]>([
    ['another plan', { body: planOf(['a']) }],
    ['another name', { query: '?name=other' }],
    ['another priority', { query: '?priority=9' }],
    ['another input', { query: '?X=1' }],
  ])('with %s is refused and says whose key it is', async (_name, change) => {
    const { batch_id } = await readJson<Submitted>(await submit());
    const response = await submit(change);
    const problem = await readProblem(response);
    expect([response.status, problem.code, problem['batch_id']]).toEqual([
      422,
      'idempotency_mismatch',
      batch_id,
    ]);
  });

  test('with the default priority written out is the same', async () => {
    await submit();
    expect((await submit({ query: '?priority=5' })).status).toBe(200);
  });

  test('of another subject is a submission of its own', async () => {
    const mine = await readJson<Submitted>(await submit());
    const other = await submit({ token: await server.token(['submit'], { subject: 'somebody else' }) });
    expect(other.status).toBe(201);
    expect((await readJson<Submitted>(other)).batch_id).not.toBe(mine.batch_id);
  });

  test('with another token of the same subject is the same', async () => {
    await submit();
    expect((await submit({ token: await server.token(['submit']) })).status).toBe(200);
  });

  test('of a refused plan takes the corrected one', async () => {
    expect((await submit({ body: planOf(['a', 'nobody']) })).status).toBe(422);
    expect((await submit()).status).toBe(201);
  });

  test('by name finds its batch although a newer version wants more by now', async () => {
    const headers = { 'content-type': 'text/markdown' };
    await server.ask('submit', 'PUT', '/v1/plans/repeated', planOf(['a']), headers);
    const first = await submitByName({ plan: 'repeated' });
    expect(first.status).toBe(201);
    const wanting = planOf(['a'])
      .replace('## Tasks', '## Inputs\n- **X**: one more\n\n## Tasks')
      .replace('echo a', 'echo {X}');
    await server.ask('submit', 'PUT', '/v1/plans/repeated', wanting, headers);
    const again = await submitByName({ config: {}, plan: 'repeated' });
    expect(again.status).toBe(200);
    expect(await readJson(again)).toEqual(await readJson(first));
    expect((await submitByName({ plan: 'repeated', version: 1 })).status).toBe(422);
  });

  test('with uploads in another order is the same', async () => {
    const plan = planOf(['a'])
      .replace(
        '## Tasks',
        '## Inputs\n- **P**: one (file)\n- **Q**: two (file)\n- **R**: three\n- **S**: four\n\n## Tasks',
      )
      .replace('echo a', 'echo {P} {Q} {R} {S}');
    await server.ask('submit', 'PUT', '/v1/plans/uploads', plan, { 'content-type': 'text/markdown' });
    await server.ask('submit', 'PUT', `/v1/blobs/${hashOf('x')}`, 'x');
    const file = { kind: 'file', sha256: hashOf('x'), name: 'x' };
    const first = await submitByName({
      plan: 'uploads',
      uploads: { P: file, Q: file },
      config: { R: '1', S: 2 },
    });
    expect(first.status).toBe(201);
    const swapped = { name: 'x', sha256: hashOf('x'), kind: 'file' };
    const again = await submitByName({
      config: { S: '2', R: 1 },
      uploads: { Q: swapped, P: swapped },
      plan: 'uploads',
    });
    expect(again.status).toBe(200);
  });
});

test.each([
  ['of one character', '!', 201],
  ['of 200', 'k'.repeat(200), 201],
  ['of 201', 'k'.repeat(201), 422],
  ['of nothing', '', 422],
  ['with what is no ASCII', 'schl\u00fcssel', 422],
])('a key %s', async (_name, bad, status) => {
  expect((await submit({ key: bad })).status).toBe(status);
});

test('without a key each submission is a batch', async () => {
  const headers = { 'content-type': 'text/markdown' };
  const ids = await Promise.all(
    [1, 2].map(async () =>
      readJson<Submitted>(await server.ask('submit', 'POST', '/v1/batches', planOf(['a']), headers)),
    ),
  );
  expect(new Set(ids.map(({ batch_id }) => batch_id)).size).toBe(2);
});
