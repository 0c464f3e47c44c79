import { afterAll, beforeAll, expect, test } from 'vitest';
import { scopesOf } from '../../../../control-plane/src/auth/require-scope.ts';
import { openTestApp, readProblem, type TestApp } from '../../../support/test-app.ts';

const PUBLIC = ['/healthz', '/readyz'];

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());

/** Each address with the scopes that its handlers demand. */
function listRoutes(): Map<string, readonly string[] | undefined> {
  const routes = new Map<string, readonly string[] | undefined>();
  for (const { method, path, handler } of server.app.routes) {
    const key = `${method} ${path}`;
    routes.set(key, routes.get(key) ?? scopesOf(handler));
  }
  return routes;
}

test('every route but the health checks demands a scope', () => {
  const open = [...listRoutes()].filter(([, scopes]) => scopes === undefined).map(([key]) => key);
  expect(open.sort()).toEqual(PUBLIC.map((path) => `GET ${path}`));
});

test('the scopes are those of the API description', () => {
  const table = Object.fromEntries([...listRoutes()].map(([key, scopes]) => [key, scopes?.join(' ') ?? '-']));
  expect(table).toEqual({
    'GET /healthz': '-',
    'GET /readyz': '-',
    'POST /v1/plans/validate': 'submit',
    'POST /v1/batches': 'submit',
    'GET /v1/batches': 'read',
    'GET /v1/batches/:id': 'read',
    'GET /v1/batches/:id/stages': 'read',
    'GET /v1/batches/:id/tasks': 'read',
    'POST /v1/batches/:id/cancel': 'operate',
    'GET /v1/batches/:id/files': 'read',
    'GET /v1/batches/:id/files/:path{[\\s\\S]+}': 'read',
    'GET /v1/plans': 'read',
    'GET /v1/plans/:name': 'read',
    'GET /v1/plans/:name/versions': 'read',
    'PUT /v1/plans/:name': 'submit',
    'GET /v1/tasks/:id': 'read',
    'GET /v1/tasks/:id/attempts': 'read',
    'POST /v1/agents/register': 'agent',
    'POST /v1/agents/:name/claim': 'agent',
    'POST /v1/agents/:name/results': 'agent',
    'POST /v1/agents/:name/heartbeat': 'agent',
    'POST /v1/agents/:name/items': 'agent',
    'GET /v1/agents': 'read',
    'POST /v1/blobs/missing': 'agent submit',
    'PUT /v1/blobs/:sha256': 'agent submit',
    'GET /v1/blobs/:sha256': 'agent read',
    'POST /v1/tokens': 'admin',
    'GET /v1/tokens': 'admin',
    'DELETE /v1/tokens/:jti': 'admin',
    'POST /v1/tick': 'tick',
  });
});

test('each route refuses every scope that is not its own, admin too', async () => {
  const scopes = ['submit', 'read', 'operate', 'agent', 'tick', 'admin'] as const;
  for (const [key, wanted] of listRoutes()) {
    if (wanted === undefined) continue;
    const [method = '', path = ''] = key.split(' ');
    for (const scope of scopes.filter((each) => !wanted.includes(each))) {
      const response = await server.ask(scope, method, path.replace(':path{[\\s\\S]+}', 'a'));
      expect([key, scope, response.status]).toEqual([key, scope, 403]);
    }
    const response = await server.app.request(path, { method });
    expect([key, response.status]).toEqual([key, 401]);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  }
});

test.each([
  ['no header', undefined, 'no_token'],
  ['another scheme', 'Basic YTpi', 'bad_token'],
  ['no token behind the scheme', 'Bearer', 'bad_token'],
  ['something that is no JWT', 'Bearer abc', 'bad_token'],
  ['an empty JWT', 'Bearer ..', 'bad_token'],
  ['an endless one', `Bearer ${'a'.repeat(10_000)}`, 'bad_token'],
])('%s is 401', async (_name, authorization, code) => {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const response = await server.app.request('/v1/batches', { headers });
  expect(response.status).toBe(401);
  expect((await readProblem(response)).code).toBe(code);
});

test('a token in the address does not count', async () => {
  const response = await server.app.request(`/v1/batches?token=${await server.token(['read'])}`);
  expect(response.status).toBe(401);
});
