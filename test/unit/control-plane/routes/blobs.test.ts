import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashOf } from '../../../support/api.ts';
import { openTestApp, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp({ settings: { max_blob_bytes: 100_000 } });
});
afterAll(() => server.close());

const put = (sha256: string, content: Uint8Array, headers = {}) =>
  server.ask('agent', 'PUT', `/v1/blobs/${sha256}`, content, headers);
const get = (sha256: string) => server.ask('read', 'GET', `/v1/blobs/${sha256}`);

test.each([0, 1, 99_999, 100_000])('%i bytes are given back as they came', async (size) => {
  const content = randomBytes(size);
  expect((await put(hashOf(content), content)).status).toBe(201);
  expect((await put(hashOf(content), content)).status).toBe(201);
  const response = await get(hashOf(content));
  expect(response.headers.get('content-length')).toBe(String(size));
  expect(hashOf(new Uint8Array(await response.arrayBuffer()))).toBe(hashOf(content));
});

test('content of another hash is refused and not there', async () => {
  const wrong = 'a'.repeat(64);
  const response = await put(wrong, randomBytes(100));
  expect(response.status).toBe(422);
  expect((await readProblem(response)).detail).toContain('nothing was stored');
  expect((await get(wrong)).status).toBe(404);
});

test('what is too large is refused, announced or not', async () => {
  const content = randomBytes(100_001);
  expect((await put(hashOf(content), content, { 'content-length': '100001' })).status).toBe(413);
  expect((await put(hashOf(content), content)).status).toBe(413);
  expect((await get(hashOf(content))).status).toBe(404);
});

test.each([
  'x',
  'A'.repeat(64),
  '..%2f..%2fetc%2fpasswd',
  'a'.repeat(65),
])('%s is no hash', async (sha256) => {
  expect((await put(sha256, randomBytes(1))).status).toBe(422);
  expect((await get(sha256)).status).toBe(422);
});

test('tells which are missing', async () => {
  const there = randomBytes(10);
  await put(hashOf(there), there);
  const missing = hashOf(randomBytes(10));
  const ask = { sha256: [hashOf(there), missing, missing] };
  const response = await server.ask('submit', 'POST', '/v1/blobs/missing', ask);
  expect(await response.json()).toEqual({ missing: [missing] });
});
