import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { getRequestListener } from '@hono/node-server';
import type { FileView, LogChunk, LogsAnswer, Page, TaskDetail } from '@planfleet/shared-types';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readRows } from '../../../../control-plane/src/store/database.ts';
import { claim, hashOf, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { until } from '../../../support/fleet.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
let session: number;
let batch: string;
let lease: Awaited<ReturnType<typeof claim>>['leases'][number];
beforeEach(async () => {
  server = await openTestApp();
  batch = (await submitPlan(server, planOf(['a']))).batch_id;
  session = await register(server, 'one');
  const [first] = (await claim(server, 'one', session)).leases;
  if (first === undefined) throw new Error('nothing was leased');
  lease = first;
});
afterEach(() => server.close());

function chunk(offset: number, content: string | Buffer, change: Partial<LogChunk> = {}): LogChunk {
  const bytes = Buffer.from(content);
  const { stage, ordinal, attempt } = lease;
  const data = gzipSync(bytes).toString('base64');
  const rest = { encoding: 'gzip', data, progress: null, progress_text: null } as const;
  return { stage, ordinal, attempt, lease: lease.lease, offset, size: bytes.length, ...rest, ...change };
}

async function send(...chunks: LogChunk[]): Promise<LogsAnswer> {
  const response = await server.ask('agent', 'POST', '/v1/agents/one/logs', { session, chunks });
  expect([response.status, await response.clone().text()]).toEqual([200, expect.any(String)]);
  return readJson<LogsAnswer>(response);
}

async function read(query = ''): Promise<string> {
  const response = await server.ask('read', 'GET', `/v1/tasks/${batch}:a/logs${query}`);
  expect(response.status).toBe(200);
  return response.text();
}

async function end(change: object): Promise<void> {
  const reports = [report(lease, change)];
  const response = await server.ask('agent', 'POST', '/v1/agents/one/results', {
    session,
    reports,
    claim: null,
  });
  expect(await readJson(response)).toMatchObject({ results: ['accepted'] });
}

async function countChunks(): Promise<number> {
  const [result] = await server.db.batch(
    [{ sql: 'SELECT count(*) AS n FROM log_chunks', params: {} }],
    'read',
  );
  return Number(readRows<{ n: number }>(result)[0]?.n);
}

/** Follows the task; `next` gives the events one by one. */
async function follow(query = '', headers: Record<string, string> = {}) {
  const response = await server.ask(
    'read',
    'GET',
    `/v1/tasks/${batch}:a/logs?follow=1${query}`,
    undefined,
    headers,
  );
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  const decoder = new TextDecoder();
  return {
    async next() {
      while (events.length === 0) {
        const { done, value } = await reader.read();
        if (done) return null;
        parser.feed(decoder.decode(value, { stream: true }));
      }
      const { event, id, data } = events.shift() as EventSourceMessage;
      return { event, id, ...(JSON.parse(data) as object) };
    },
    stop: () => reader.cancel(),
  };
}

test('chunks become text; one that comes twice counts once, one that is missing shows', async () => {
  await send(chunk(0, 'one\n'));
  await send(chunk(4, 'two\n'));
  await send(chunk(4, 'two\n'));
  await send(chunk(0, 'one\n'));
  await send(chunk(20, 'six\n', { encoding: 'identity', data: Buffer.from('six\n').toString('base64') }));
  expect(await read()).toBe('one\ntwo\n\n[... 12 bytes missing ...]\nsix\n');
  expect(await read('?offset=6')).toBe('o\n\n[... 12 bytes missing ...]\nsix\n');
  // Small ones are kept as one row.
  expect(await countChunks()).toBe(2);
});

test('a bounded amount of live output is kept, its beginning and the newest', async () => {
  for (let at = 0; at < 12; at++) await send(chunk(at * 200_000, Buffer.alloc(200_000, 65 + at)));
  expect(await countChunks()).toBeLessThanOrEqual(7);
  const text = await read();
  expect(text.indexOf('A\n[... 1000000 bytes missing ...]\nG')).toBe(199_999);
  expect(text.endsWith('L')).toBe(true);
});

test('chunks for a lease that is over are refused one by one, for another session all of them', async () => {
  const answer = await send(chunk(0, 'mine'), chunk(0, 'not mine', { ordinal: 7 }));
  expect(answer.refused).toEqual([1]);
  await end({});
  expect((await send(chunk(4, 'late'))).refused).toEqual([0]);
  const body = { session: session + 1, chunks: [chunk(0, 'x')] };
  const superseded = await server.ask('agent', 'POST', '/v1/agents/one/logs', body);
  expect([superseded.status, (await readProblem(superseded)).code]).toEqual([409, 'session_superseded']);
  const twice = { session, chunks: [chunk(0, 'x'), chunk(1, 'y')] };
  expect((await server.ask('agent', 'POST', '/v1/agents/one/logs', twice)).status).toBe(422);
});

test('a chunk that is not what it says is a gap, and no error', async () => {
  await send(chunk(0, 'def', { size: 10 }));
  await send(chunk(10, 'abc', { data: 'AAAA' }));
  expect(await read()).toBe('def\n[... 10 bytes missing ...]\n');
});

test('a follower gets what is there, what comes, and the end; then the live output is forgotten', async () => {
  await send(chunk(0, 'one\n'));
  const reader = await follow();
  expect(await reader.next()).toEqual({ event: 'log', id: '1.4', attempt: 1, offset: 0, text: 'one\n' });
  const euro = Buffer.from('€uro\n');
  const answer = await send(chunk(4, euro.subarray(0, 1)));
  // Somebody reads along: sooner than otherwise.
  expect(answer.pace_ms).toBe(server.deps.settings.followed_log_pace_ms);
  await send(chunk(5, euro.subarray(1)));
  expect(await reader.next()).toEqual({ event: 'log', id: '1.11', attempt: 1, offset: 4, text: '€uro\n' });
  await send(chunk(20, 'later\n'));
  expect(await reader.next()).toEqual({ event: 'gap', id: '1.20', attempt: 1, offset: 11, missing: 9 });
  expect(await reader.next()).toMatchObject({ event: 'log', id: '1.26', text: 'later\n' });
  const tail = `${'x'.repeat(26)}the rest`;
  const log = { name: 'a', size: 34, head: 34, tail: 0, stored: 34, sha256: hashOf(tail), kept: 'tail' };
  await end({ tail, log });
  expect(await reader.next()).toMatchObject({ event: 'log', offset: 26, text: 'the rest' });
  expect(await reader.next()).toMatchObject({ event: 'end', id: '1.34', attempt: 1, outcome: 'succeeded' });
  expect(await reader.next()).toBeNull();
  await server.deps.brain.tick();
  expect(await countChunks()).toBe(0);
  expect(await read()).toBe(tail);
});

test('a reader that comes back goes on behind the last event it got', async () => {
  await send(chunk(0, 'one\ntwo\n'));
  const reader = await follow('', { 'last-event-id': '1.4' });
  expect(await reader.next()).toMatchObject({ offset: 4, text: 'two\n' });
  await reader.stop();
  const bad = await server.ask('read', 'GET', `/v1/tasks/${batch}:a/logs?follow=1`, undefined, {
    'last-event-id': 'x',
  });
  expect(bad.status).toBe(422);
});

test('a reader that goes away is not waited for', async () => {
  await send(chunk(0, 'one\n'));
  const http = createServer(getRequestListener(server.app.fetch, { overrideGlobalObjects: false }));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const abort = new AbortController();
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1/tasks/${batch}:a/logs?follow=1`;
  const authorization = `Bearer ${await server.token(['read'])}`;
  const response = await fetch(address, { headers: { authorization }, signal: abort.signal });
  await response.body?.getReader().read();
  const task = { stage: lease.stage, ordinal: lease.ordinal };
  expect(server.deps.logs.isFollowed(task)).toBe(true);
  abort.abort();
  await until('the reader to be forgotten', () => !server.deps.logs.isFollowed(task));
  http.close();
});

test('a server that closes lets its followers go', async () => {
  await send(chunk(0, 'one\n'));
  const reader = await follow();
  await reader.next();
  server.deps.logs.close();
  expect(await reader.next()).toBeNull();
});

test('a revoked token reads no more output', async () => {
  await send(chunk(0, 'one\n'));
  const authorization = `Bearer ${await server.token(['read'], { jti: 'reader' })}`;
  const reader = await follow('', { authorization });
  await reader.next();
  expect((await server.ask('admin', 'DELETE', '/v1/tokens/reader')).status).toBe(200);
  await send(chunk(4, 'two\n'));
  expect(await reader.next()).toBeNull();
});

test('the log of a failed attempt is a file of its batch, from the tail or from a blob', async () => {
  const content = Buffer.from(`head\n[... 95 bytes missing ...]\ntail\n`);
  const sha256 = hashOf(content);
  const token = await server.token(['agent']);
  await server.app.request(`/v1/blobs/${sha256}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}` },
    body: content,
  });
  const log = { name: 'a', size: 104, head: 4, tail: 5, stored: content.length, sha256, kept: 'blob' };
  await end({ outcome: 'failed', error_type: 'worker', message: 'no', tail: 'tail\n', log });
  const files = await readJson<Page<FileView>>(await server.ask('read', 'GET', `/v1/batches/${batch}/files`));
  expect(files.items).toEqual([
    { path: 'logs/a.1.log', size: content.length, sha256, task: `${batch}:a:0`, attempt: 1 },
  ]);
  const file = await server.ask('read', 'GET', `/v1/batches/${batch}/files/logs/a.1.log`);
  expect(Buffer.from(await file.arrayBuffer())).toEqual(content);
  expect(await read()).toBe(content.toString());
  expect(await read('?offset=100')).toBe('ail\n');
  expect(await read('?offset=50')).toBe('\n[... 49 bytes missing ...]\ntail\n');
  const reader = await follow('&offset=2');
  expect(await reader.next()).toMatchObject({ event: 'log', offset: 2, text: 'ad' });
  expect(await reader.next()).toMatchObject({ event: 'gap', offset: 4, missing: 95, id: '1.99' });
  expect(await reader.next()).toMatchObject({ event: 'log', offset: 99, text: 'tail\n', id: '1.104' });
  expect(await reader.next()).toMatchObject({ event: 'end', outcome: 'failed', message: 'no' });
});

test('a log that did not come is said to be missing, and is there when it has come', async () => {
  const content = Buffer.from('x'.repeat(50));
  const sha256 = hashOf(content);
  const log = { name: 'a', size: 50, head: 50, tail: 0, stored: 50, sha256, kept: 'blob' };
  await end({ tail: 'xxxxx', log });
  expect(await read()).toBe('\n[... 45 bytes missing ...]\nxxxxx');
  const missing = await server.ask('read', 'GET', `/v1/batches/${batch}/files/logs/a.1.log`);
  expect([missing.status, (await readProblem(missing)).detail]).toEqual([
    404,
    'logs/a.1.log has not come from the machine of its agent, one.',
  ]);
  const token = await server.token(['agent']);
  const headers = { authorization: `Bearer ${token}` };
  await server.app.request(`/v1/blobs/${sha256}`, { method: 'PUT', headers, body: content });
  const arrived = [{ stage: lease.stage, ordinal: lease.ordinal, attempt: 1, sha256 }];
  await server.ask('agent', 'POST', '/v1/agents/one/logs', { session, chunks: [], arrived });
  expect(await read()).toBe(content.toString());
});

test('progress is shown while the attempt runs', async () => {
  const task = async () => readJson<TaskDetail>(await server.ask('read', 'GET', `/v1/tasks/${batch}:a`));
  await send(chunk(0, 'a', { progress: 0.25, progress_text: 'a quarter' }));
  await send(chunk(1, 'b'));
  expect(await task()).toMatchObject({ progress: 0.25, progress_text: 'a quarter' });
  await end({});
  expect((await task()).progress).toBeNull();
});

test.each(['?follow=2', '?attempt=0', '?offset=-1', '?attempt=x', '?what=1'])('%s is 422', async (query) => {
  expect((await server.ask('read', 'GET', `/v1/tasks/${batch}:a/logs${query}`)).status).toBe(422);
});
