import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type {
  AgentView,
  BatchView,
  ClaimAnswer,
  Page,
  ResultsAnswer,
  Scope,
  Submitted,
} from '@planfleet/shared-types';
import { Miniflare } from 'miniflare';
import { packTar } from 'modern-tar';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSigningKey } from '../../../../control-plane/src/auth/signing-key.ts';
import { signToken } from '../../../../control-plane/src/entry/node.ts';
import { hashOf, planOf, registration, report } from '../../../support/api.ts';
import { type HranaServer, startHranaServer } from '../../../support/hrana-server.ts';
import { readEvents } from '../../../support/read-events.ts';
import { openTempDatabase, type TempDatabase } from '../../../support/temp-database.ts';
import { until } from '../../../support/until.ts';
import { bundleWorker, COMPATIBILITY_DATE } from '../../../tools/bundle-worker.mjs';

/** Miniflare's types leave out what it can do beside fetch. */
interface Scheduled {
  scheduled(event: { cron: string }): Promise<{ outcome: string }>;
}

const SIGNING_KEY = createSigningKey(new Uint8Array(40).fill(3));

let db: TempDatabase;
let hrana: HranaServer;
let worker: Miniflare;
let url: URL;
beforeAll(async () => {
  db = await openTempDatabase();
  hrana = await startHranaServer(db.file, 'secret');
  worker = await startWorker({ DATABASE_URL: hrana.url, DATABASE_TOKEN: 'secret', SIGNING_KEY });
  url = await worker.ready;
});
afterAll(async () => {
  await worker.dispose();
  await hrana.close();
  await db.close();
});

async function startWorker(bindings: Record<string, string>): Promise<Miniflare> {
  return new Miniflare({
    modules: true,
    script: await bundleWorker(),
    compatibilityDate: COMPATIBILITY_DATE,
    r2Buckets: ['ARTIFACTS'],
    bindings,
    cf: false,
    host: '127.0.0.1',
    port: 0,
  });
}

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const scopes: Scope[] = ['submit', 'read', 'operate', 'agent', 'tick', 'admin'];
  const { token } = await signToken({ signing_key: SIGNING_KEY, subject: 'test', scopes });
  const sent =
    body === undefined || typeof body === 'string' || body instanceof FormData || body instanceof Uint8Array
      ? (body as NonNullable<RequestInit['body']> | undefined)
      : JSON.stringify(body);
  return fetch(new URL(path, url), {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(sent === undefined ? {} : { body: sent }),
  });
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  expect([response.status, text]).toEqual([expect.toSatisfy((status: number) => status < 300), text]);
  return JSON.parse(text) as T;
}

test('a batch runs from its bundle to its end on Workers', async () => {
  const bundle = await packTar([planEntry()]);
  const form = new FormData();
  form.append('bundle', new Blob([bundle]), 'plan.tar');
  const { batch_id } = await read<Submitted>(await ask('POST', '/v1/batches', form));
  const blob = await ask('GET', `/v1/blobs/${hashOf(bundle)}`);
  expect(hashOf(new Uint8Array(await blob.arrayBuffer()))).toBe(hashOf(bundle));

  const { session } = await read<{ session: number }>(
    await ask('POST', '/v1/agents/register', registration('one')),
  );
  const claim = { session, slots: 2, have: [] };
  const events = readEvents(await ask('GET', `/v1/batches/${batch_id}/events`));
  expect(await events.next()).toMatchObject({ event: 'batch', data: { id: batch_id, stages: [{}, {}] } });
  let { leases } = await read<ClaimAnswer>(await ask('POST', '/v1/agents/one/claim?wait=5', claim));
  for (let stage = 0; stage < 2; stage++) {
    expect(leases).toHaveLength(1);
    const reports = leases.map((lease) => report(lease));
    const answer = await read<ResultsAnswer>(
      await ask('POST', '/v1/agents/one/results', { session, reports, claim }),
    );
    expect(answer.results).toEqual(['accepted']);
    leases = answer.claim?.leases ?? [];
  }
  const batch = await read<BatchView>(await ask('GET', `/v1/batches/${batch_id}`));
  expect(batch).toMatchObject({ state: 'succeeded', succeeded: 2 });
  let last = await events.next();
  for (let event = last; event !== null; event = await events.next()) last = event;
  expect(last).toMatchObject({ event: 'end', data: { state: 'succeeded' } });
});

test('the API describes itself on Workers', async () => {
  const description = await read<{ openapi: string }>(await fetch(new URL('/openapi.json', url)));
  expect(description.openapi).toBe('3.1.1');
  const page = await fetch(new URL('/docs', url));
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; style-src 'sha256-");
  expect(await page.text()).toContain('</html>');
  expect((await fetch(new URL('/llms.txt', url))).status).toBe(200);
});

test('a reader follows what other requests bring, to the end', async () => {
  const headers = { 'content-type': 'text/markdown' };
  const { batch_id } = await read<Submitted>(await ask('POST', '/v1/batches', planOf(['talk']), headers));
  const { session } = await read<{ session: number }>(
    await ask('POST', '/v1/agents/register', registration('talker')),
  );
  const claim = { session, slots: 1, have: [] };
  const { leases } = await read<ClaimAnswer>(await ask('POST', '/v1/agents/talker/claim', claim));
  const [lease] = leases;
  if (lease === undefined) throw new Error('nothing was leased');
  const following = await ask('GET', `/v1/tasks/${batch_id}:talk/logs?follow=1`);
  const { stage, ordinal, attempt } = lease;
  const chunk = {
    stage,
    ordinal,
    attempt,
    lease: lease.lease,
    offset: 0,
    progress: null,
    progress_text: null,
  };
  const packed = { size: 6, encoding: 'gzip', data: gzipSync('hällo').toString('base64') };
  await read(await ask('POST', '/v1/agents/talker/logs', { session, chunks: [{ ...chunk, ...packed }] }));
  const reports = [report(lease)];
  await read(await ask('POST', '/v1/agents/talker/results', { session, reports, claim: null }));
  const text = await following.text();
  expect(text).toMatch(/^event: end\ndata: \{"attempt":1,"outcome":"succeeded"/m);
  expect(await (await ask('GET', `/v1/tasks/${batch_id}:talk/logs`)).text()).toBe('done\n');
});

test('a held claim finds what another request submits', async () => {
  const { session } = await read<{ session: number }>(
    await ask('POST', '/v1/agents/register', registration('two')),
  );
  const lastSeen = async () => {
    const { items } = await read<Page<AgentView>>(await ask('GET', '/v1/agents'));
    return items.find((agent) => agent.name === 'two')?.last_seen_at ?? '';
  };
  const registered = await lastSeen();
  const held = ask('POST', '/v1/agents/two/claim?wait=20', { session, slots: 1, have: [] });
  await until('the claim to arrive', async () => (await lastSeen()) > registered);
  const started = performance.now();
  await ask('POST', '/v1/batches', planOf(['a']), { 'content-type': 'text/markdown' });
  expect((await read<ClaimAnswer>(await held)).leases).toHaveLength(1);
  expect(performance.now() - started).toBeLessThan(3_000);
});

test('cron ticks', async () => {
  const before = await tickedAt();
  const target = (await worker.getWorker()) as unknown as Scheduled;
  expect((await target.scheduled({ cron: '* * * * *' })).outcome).toBe('ok');
  expect(await tickedAt()).toBeGreaterThan(before);
});

test('blobs are verified on arrival', async () => {
  const content = new TextEncoder().encode('content');
  expect((await ask('PUT', `/v1/blobs/${hashOf(content)}`, content)).status).toBe(201);
  expect((await ask('PUT', `/v1/blobs/${'a'.repeat(64)}`, content)).status).toBe(422);
});

test('what is wrong is told as everywhere', async () => {
  expect((await fetch(new URL('/v1/batches', url))).status).toBe(401);
  expect((await ask('POST', '/v1/agents/register', '{')).status).toBe(400);
  expect((await ask('GET', '/v1/nothing')).status).toBe(404);
  const half = new Uint8Array([0x1f, 0x8b, 8, 0]);
  const form = new FormData();
  form.append('bundle', new Blob([half]), 'plan.tgz');
  expect((await ask('POST', '/v1/batches', form)).status).toBe(422);
});

test('the first tick makes the tables', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-worker-'));
  const server = await startHranaServer(join(folder, 'empty.db'), 'secret');
  const fresh = await startWorker({ DATABASE_URL: server.url, DATABASE_TOKEN: 'secret', SIGNING_KEY });
  const ready = async () => (await fetch(new URL('/readyz', await fresh.ready))).status;
  expect(await ready()).toBe(503);
  const target = (await fresh.getWorker()) as unknown as Scheduled;
  for (let tick = 0; tick < 2; tick++) {
    expect((await target.scheduled({ cron: '* * * * *' })).outcome).toBe('ok');
  }
  expect(await ready()).toBe(200);
  await fresh.dispose();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a database that is away is 503', async () => {
  const alone = await startWorker({ DATABASE_URL: 'http://127.0.0.1:9', SIGNING_KEY });
  const response = await fetch(new URL('/readyz', await alone.ready));
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining('busy')]);
  expect(response.headers.get('retry-after')).toBe('2');
  await alone.dispose();
});

test.each([
  ['without a database', {}, 'DATABASE_URL'],
  ['with a key that is none', { DATABASE_URL: 'http://127.0.0.1:9', SIGNING_KEY: 'secret' }, 'signing key'],
])('%s it says what to set, and is healthy', async (_name, bindings, text) => {
  const unset = await startWorker(bindings);
  const home = await unset.ready;
  const response = await fetch(new URL('/v1/batches', home));
  expect([response.status, await response.text()]).toEqual([503, expect.stringContaining(text)]);
  expect((await fetch(new URL('/healthz', home))).status).toBe(200);
  await unset.dispose();
});

function planEntry() {
  const body = new TextEncoder().encode(planOf(['a'], ['b', 'a']));
  return { header: { name: 'plan.md', size: body.length, type: 'file' as const }, body };
}

async function tickedAt(): Promise<number> {
  const [result] = await db.batch([{ sql: 'SELECT last_tick_at FROM brain', params: {} }], 'read');
  return Number(result?.rows[0]?.[0]);
}
