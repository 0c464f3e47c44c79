import { SCOPES } from '@planfleet/shared-types';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claim, hashOf, planOf, register, registration, report, submitPlan } from '../../../support/api.ts';
import { openTestApp, type TestApp } from '../../../support/test-app.ts';

/** A minute's worth would find little more; PLANFLEET_FUZZ_RUNS asks for more of them. */
const RUNS = Number(process.env['PLANFLEET_FUZZ_RUNS'] ?? 300);

let server: TestApp;
let authorization: string;
let bodies: readonly unknown[];
let addresses: readonly string[];
beforeAll(async () => {
  server = await openTestApp({ settings: { max_json_bytes: 100_000, max_blob_bytes: 100_000 } });
  authorization = `Bearer ${await server.token(SCOPES)}`;
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a'], ['c']));
  const session = await register(server, 'one');
  const { leases } = await claim(server, 'one', session, { slots: 1 });
  const [lease] = leases;
  if (lease === undefined) throw new Error('Nothing was claimed.');
  const request = { session, slots: 2, have: [lease.lease] };
  const list = { list: 1, count: 1, chunks: [hashOf('[1]')] };
  const file = { path: 'a', sha256: hashOf(''), size: 0, mode: 0o644 };
  // Good ones, so that what is changed in them gets past the schemas.
  bodies = [
    registration('one'),
    request,
    { session, reports: [report(lease, { lists: [list], files: [file] })], claim: request },
    { session, reports: [report(lease, { outcome: 'failed', error_type: 'worker' })], claim: null },
    { session, running: [{ stage: lease.stage, ordinal: lease.ordinal, lease: lease.lease }] },
    { session, list: 1, lease: lease.lease, chunks: [{ offset: 0, sha256: hashOf('[1]'), items: [1] }] },
    { sha256: [hashOf('')] },
    { subject: 'a', scopes: ['read'], expires_in_s: 60 },
  ];
  addresses = [batch_id, `${batch_id}:a:0`, 'one', hashOf(''), 'nothing'];
});
afterAll(() => server.close());

/** Values that have broken servers before. */
const nasty = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  0,
  0.5,
  2 ** 31,
  2 ** 53,
  1e308,
  -(2 ** 63),
  '',
  '\u0000',
  '\ud800',
  'NaN',
  '__proto__',
  "'; DROP TABLE tasks; --",
  '../../etc/passwd',
  'x'.repeat(5_000),
  [],
  {},
  [[[[]]]],
  { __proto__: null, constructor: 1 },
);

/** A good body with some of its places changed, missing or doubled. */
const spoiled = fc
  .tuple(
    fc.nat(),
    fc.array(fc.tuple(fc.nat(), nasty, fc.constantFrom('set', 'drop', 'add')), { maxLength: 3 }),
  )
  .map(([which, changes]) => {
    const root: unknown = structuredClone(bodies[which % bodies.length]);
    for (const [place, value, kind] of changes) spoil(root, place, structuredClone(value), kind);
    return root;
  });

const json = fc.oneof({ weight: 5, arbitrary: spoiled }, { weight: 1, arbitrary: fc.jsonValue() });
const text = fc.oneof(
  { weight: 6, arbitrary: json.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  { weight: 1, arbitrary: fc.constantFrom('{', '[', '"', '{"a":', '[1,]', '\u0000', '﻿{}', '1e999', '-') },
);
const part = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.nat().map((which) => addresses[which % addresses.length] ?? ''),
);
const query = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('limit', 'cursor', 'state', 'stage', 'priority', 'name', 'X', '__proto__'), part)
      .map(([name, value]) => `?${name}=${encode(value)}`),
  },
);
const type = fc.constantFrom(
  undefined,
  'application/json',
  'text/markdown',
  'multipart/form-data; boundary=b',
  'multipart/form-data',
  '\u00ff',
);

test('whatever is sent, no route fails', async () => {
  const routes = server.app.routes.filter(({ method }) => method !== 'ALL');
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(part, { minLength: 2, maxLength: 2 }),
      query,
      text,
      type,
      async (which, parts, search, body, media) => {
        const route = routes[which % routes.length];
        if (route === undefined) return;
        let next = 0;
        const path = route.path.replace(/:\w+(\{.+\})?/g, () => encode(parts[next++] ?? 'x'));
        const response = await server.app.request(`${path}${search}`, {
          method: route.method,
          headers: { authorization, ...(media === undefined ? {} : { 'content-type': media }) },
          ...(route.method === 'GET' ? {} : { body }),
        });
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        // A stream of events ends when the batch does.
        if (response.headers.get('content-type') === 'text/event-stream') await response.body?.cancel();
        else await response.arrayBuffer();
        expect([
          route.method,
          path,
          response.status,
          server.log.filter((entry) => entry.level === 'error'),
        ]).toEqual([route.method, path, expect.toSatisfy((status: number) => status < 500), []]);
      },
    ),
    { numRuns: RUNS * 5 },
  );
  // Nothing would be shown if all were refused at the door.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(RUNS / 10);
});

test('whatever an agent reports, no route fails', async () => {
  const names = ['register', 'one/claim', 'one/results', 'one/heartbeat', 'one/items'];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), spoiled, async (name, body) => {
      const response = await server.app.request(`/v1/agents/${name}`, {
        method: 'POST',
        headers: { authorization },
        body: JSON.stringify(body),
      });
      expect([response.status, server.log.filter((entry) => entry.level === 'error')]).toEqual([
        expect.toSatisfy((status: number) => status < 500),
        [],
      ]);
    }),
    { numRuns: RUNS * 5 },
  );
});

test('whatever stands in a form, no route fails', async () => {
  const name = fc.constantFrom('bundle', 'config', 'uploads', 'name', 'priority', 'other', '');
  const field = fc.tuple(name, fc.oneof(text, fc.uint8Array({ maxLength: 600 })));
  await fc.assert(
    fc.asyncProperty(fc.array(field, { maxLength: 6 }), async (fields) => {
      const form = new FormData();
      for (const [key, value] of fields) {
        if (typeof value === 'string') form.append(key, value);
        else form.append(key, new Blob([new Uint8Array(value)]), 'f');
      }
      const response = await server.app.request('/v1/batches', {
        method: 'POST',
        headers: { authorization },
        body: form,
      });
      expect([response.status, server.log.filter((entry) => entry.level !== 'info')]).toEqual([
        expect.toSatisfy((status: number) => status < 500),
        [],
      ]);
    }),
    { numRuns: RUNS },
  );
});

function encode(value: string): string {
  return encodeURIComponent(value.replace(/\p{Cs}/gu, '?'));
}

function spoil(root: unknown, place: number, value: unknown, kind: string): void {
  const holders: (Record<string, unknown> | unknown[])[] = [];
  const visit = (each: unknown): void => {
    if (typeof each !== 'object' || each === null) return;
    holders.push(each as Record<string, unknown>);
    Object.values(each).forEach(visit);
  };
  visit(root);
  const holder = holders[place % Math.max(1, holders.length)];
  if (holder === undefined) return;
  if (Array.isArray(holder)) {
    if (kind === 'drop') holder.pop();
    else holder.push(kind === 'add' ? structuredClone(holder[0]) : value);
    return;
  }
  const keys = Object.keys(holder);
  const key = keys[place % Math.max(1, keys.length)] ?? 'key';
  if (kind === 'drop') delete holder[key];
  else holder[kind === 'add' ? 'colour' : key] = value;
}
