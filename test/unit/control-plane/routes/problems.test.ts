import { problemSchema } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ArtifactStoreError } from '../../../../control-plane/src/artifacts/artifact-store.ts';
import { DatabaseBusyError } from '../../../../control-plane/src/store/database.ts';
import { hashOf, planOf, registration } from '../../../support/api.ts';
import { openTestApp, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeEach(async () => {
  server = await openTestApp({ settings: { max_json_bytes: 1_000 } });
});
afterEach(() => server.close());

async function expectProblem(response: Response, status: number, code: string) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = problemSchema.parse(await readProblem(response));
  expect([response.status, problem.status, problem.code]).toEqual([status, status, code]);
  return problem;
}

test('what is not there is 404, also for those without a token', async () => {
  await expectProblem(await server.app.request('/v1/nothing'), 404, 'not_found');
  await expectProblem(await server.app.request('/%ff%00'), 404, 'not_found');
});

test('another method is 405 and told which there are', async () => {
  const response = await server.app.request('/v1/batches', { method: 'PUT' });
  expect(response.headers.get('allow')).toBe('GET, HEAD, POST');
  await expectProblem(response, 405, 'method_not_allowed');
  await expectProblem(await server.app.request('/v1/tick'), 405, 'method_not_allowed');
});

test.each([
  ['no JSON', '{"protocol":', 400, 'bad_json'],
  ['nothing', '', 400, 'bad_json'],
  ['another type', '[]', 422, 'invalid'],
  ['null', 'null', 422, 'invalid'],
  ['too much', `"${'x'.repeat(2_000)}"`, 413, 'too_large'],
  ['endless brackets', '['.repeat(900), 400, 'bad_json'],
  ['deep brackets', `${'['.repeat(400)}${']'.repeat(400)}`, 400, 'bad_json'],
])('a body of %s', async (_name, body, status, code) => {
  await expectProblem(await server.ask('agent', 'POST', '/v1/agents/register', body), status, code);
});

test('text that is not UTF-8 is a bad request', async () => {
  const body = new Uint8Array([0x7b, 0xff, 0x7d]);
  await expectProblem(await server.ask('agent', 'POST', '/v1/agents/register', body), 400, 'bad_request');
});

test('brackets within a text are no depth', async () => {
  const hostname = `${'[{'.repeat(100)}\\"[`;
  const body = registration('one', { hostname });
  expect((await server.ask('agent', 'POST', '/v1/agents/register', body)).status).toBe(200);
});

test('a request that is not valid names every place', async () => {
  const body = { ...registration('one'), slots: -1, labels: [1], colour: 'red' };
  const response = await server.ask('agent', 'POST', '/v1/agents/register', body);
  const problem = await expectProblem(response, 422, 'invalid');
  expect((problem['issues'] as { path: string }[]).map(({ path }) => path).sort()).toEqual([
    '',
    'labels.0',
    'slots',
  ]);
});

test('a database that is busy is 503, and worth another try', async () => {
  const response = await (await failing(new DatabaseBusyError('The database is locked.'))).ask(
    'read',
    'GET',
    '/v1/batches',
  );
  expect(response.headers.get('retry-after')).toBe('2');
  await expectProblem(response, 503, 'busy');
});

test('an artifact store that fails is 503, and nothing is half done', async () => {
  const failure = async () => {
    throw new ArtifactStoreError('The artifact folder cannot be written.', { cause: new Error('ENOSPC') });
  };
  Object.assign(server.deps.artifacts, { put: failure });
  const response = await server.ask('agent', 'PUT', `/v1/blobs/${hashOf('x')}`, 'x');
  await expectProblem(response, 503, 'busy');
});

test('a failure that nobody foresaw tells the log what it was, and the client nothing', async () => {
  const broken = await failing(new Error('SECRET detail'));
  const response = await broken.ask('read', 'GET', '/v1/batches');
  const problem = await expectProblem(response, 500, 'internal');
  expect(JSON.stringify(problem)).not.toContain('SECRET');
  expect(JSON.stringify(broken.log)).toContain('SECRET');
});

test('the process is healthy without its database, but not ready', async () => {
  const broken = await failing(new DatabaseBusyError('away'));
  expect((await broken.app.request('/healthz')).status).toBe(200);
  expect((await broken.app.request('/readyz')).status).toBe(503);
  expect((await server.app.request('/readyz')).status).toBe(200);
});

test('a tick tells what it did', async () => {
  await server.ask('submit', 'POST', '/v1/batches', planOf(['a']), { 'content-type': 'text/markdown' });
  const response = await server.ask('tick', 'POST', '/v1/tick');
  expect(await response.json()).toMatchObject({ busy: false, leases_lost: 0 });
});

const opened: TestApp[] = [];
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});

/** An app whose reads fail, but for those that check the token. */
async function failing(error: Error): Promise<TestApp> {
  const app = await openTestApp({
    ports: {
      db: {
        async batch([first]) {
          if (first?.sql.includes('tokens')) return [{ columns: ['jti'], rows: [] }];
          throw error;
        },
        async close() {},
      },
    },
  });
  opened.push(app);
  return app;
}
