import { afterAll, beforeAll, expect, test } from 'vitest';
import { listRoutes } from '../../../support/list-routes.ts';
import { openTestApp, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());

/** Every route, with something in the place of its parameters. */
function addresses(): [method: string, path: string][] {
  return [...listRoutes(server).keys()].map((route) => {
    const [method = '', path = ''] = route.split(' ');
    return [method, path.replace(/:\w+(\{.*\})?/g, '20200101_000000')];
  });
}

test('no answer but the description may be kept, and none is taken for another type', async () => {
  for (const [method, path] of addresses()) {
    for (const scope of ['read', 'admin', 'agent', 'submit'] as const) {
      const response = await server.ask(scope, method, path);
      const kept = /^\/(docs|llms\.txt|openapi\.json)$/.test(path) ? 'no-cache' : 'no-store';
      expect([method, path, response.headers.get('cache-control')]).toEqual([method, path, kept]);
      expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    }
  }
});

test('what can be read can be asked for with HEAD: the same status, no body', async () => {
  for (const [method, path] of addresses()) {
    if (method !== 'GET') continue;
    const get = await server.ask('read', 'GET', path);
    const head = await server.ask('read', 'HEAD', path);
    expect([path, head.status, await head.text()]).toEqual([path, get.status, '']);
    expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
    await get.body?.cancel();
  }
});

test('a method that a route does not take is 405, and told which it takes', async () => {
  const byPath = new Map<string, string[]>();
  for (const [method, path] of addresses()) byPath.set(path, [...(byPath.get(path) ?? []), method]);
  for (const [path, methods] of byPath) {
    const response = await server.ask('admin', 'PATCH', path);
    expect([path, response.status, (await readProblem(response)).code]).toEqual([
      path,
      405,
      'method_not_allowed',
    ]);
    const allow = response.headers.get('allow')?.split(', ') ?? [];
    expect([path, allow]).toEqual([path, expect.arrayContaining(methods)]);
    expect(allow.includes('HEAD')).toBe(allow.includes('GET'));
  }
});

test('no other origin is let in', async () => {
  for (const [method, path] of addresses()) {
    const headers = { origin: 'https://elsewhere.example' };
    const response = await server.ask('read', method, path, undefined, headers);
    const preflight = await server.app.request(path, {
      method: 'OPTIONS',
      headers: { ...headers, 'access-control-request-method': method },
    });
    for (const each of [response, preflight]) {
      expect([...each.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    }
    expect(preflight.status).toBe(405);
  }
});
