import { afterAll, beforeAll, expect, test } from 'vitest';
import { listRoutes } from '../../../support/list-routes.ts';
import { openTestApp, readProblem, type TestApp } from '../../../support/test-app.ts';

const PUBLIC = ['/docs', '/healthz', '/llms.txt', '/openapi.json', '/readyz'];

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());

test('every route but the health checks and the description demands a scope', () => {
  const open = [...listRoutes(server)].filter(([, scopes]) => scopes === undefined).map(([key]) => key);
  expect(open.sort()).toEqual(PUBLIC.map((path) => `GET ${path}`));
});

test('each route refuses every scope that is not its own, admin too', async () => {
  const scopes = ['submit', 'read', 'operate', 'agent', 'tick', 'admin'] as const;
  for (const [key, wanted] of listRoutes(server)) {
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
