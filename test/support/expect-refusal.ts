import { expect } from 'vitest';
import { readJson, readProblem, type TestApp } from './test-app.ts';

export async function countBatches(server: TestApp): Promise<number> {
  const page = await readJson<{ items: unknown[] }>(await server.ask('read', 'GET', '/v1/batches?limit=500'));
  return page.items.length;
}

/** Submits what is to be refused with a problem document, and to leave nothing behind. */
export async function expectRefusal(
  server: TestApp,
  body: unknown,
  headers?: Record<string, string>,
  query = '',
) {
  const before = await countBatches(server);
  const response = await server.ask('submit', 'POST', `/v1/batches${query}`, body, headers);
  expect(await countBatches(server)).toBe(before);
  const problem = await readProblem(response);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return { status: response.status, code: problem.code, problem };
}
