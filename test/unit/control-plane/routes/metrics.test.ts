import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { openTestApp, START, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeEach(async () => {
  server = await openTestApp();
});
afterEach(() => server.close());

/** Each sample by its name and labels. Fails for text that is not of the format, and for names against its conventions. */
async function scrape(): Promise<Map<string, number>> {
  const response = await server.ask('read', 'GET', '/metrics');
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  expect(text.endsWith('\n')).toBe(true);
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE ([a-z_]+) (gauge|counter)$/.exec(line);
    if (type !== null) types.set(type[1] ?? '', type[2] ?? '');
    if (line.startsWith('#')) {
      expect(line).toMatch(/^# (HELP [a-z_]+ \S.*\.|TYPE [a-z_]+ (gauge|counter))$/);
      continue;
    }
    const sample = /^([a-z_]+)((?:\{[a-z_]+="[^"\\\n]*"\})?) (\d+(?:\.\d+)?)$/.exec(line);
    expect([line, sample === null]).toEqual([line, false]);
    const [, name = '', labels = '', value] = sample ?? [];
    expect(types.has(name)).toBe(true);
    expect(name.startsWith('planfleet_')).toBe(true);
    expect([name, name.endsWith('_total')]).toEqual([name, types.get(name) === 'counter']);
    expect(samples.has(name + labels)).toBe(false);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

test('an empty installation has every metric, at nothing', async () => {
  const samples = await scrape();
  expect(samples.get('planfleet_tasks{state="ready"}')).toBe(0);
  expect(samples.get('planfleet_batches{state="active"}')).toBe(0);
  expect(samples.get('planfleet_agents{state="connected"}')).toBe(0);
  expect(samples.get('planfleet_last_tick_timestamp_seconds')).toBe(0);
});

test('the numbers follow what happens', async () => {
  await submitPlan(server, planOf(['a'], ['b'], ['c', 'a']));
  const session = await register(server, 'one', { slots: 3 });
  const { leases } = await claim(server, 'one', session, { slots: 1 });
  await server.ask('tick', 'POST', '/v1/tick');
  server.clock.advance(2_500);
  let samples = await scrape();
  expect(Object.fromEntries([...samples].filter(([, value]) => value > 0))).toEqual({
    'planfleet_batches{state="active"}': 1,
    planfleet_batches_submitted_total: 1,
    'planfleet_tasks{state="waiting"}': 1,
    'planfleet_tasks{state="ready"}': 1,
    'planfleet_tasks{state="leased"}': 1,
    'planfleet_agents{state="connected"}': 1,
    planfleet_slots: 3,
    planfleet_leases: 1,
    planfleet_last_tick_timestamp_seconds: START / 1_000,
    planfleet_tick_age_seconds: 2.5,
  });

  const rest = [...leases, ...(await claim(server, 'one', session, { slots: 3, have: [1] })).leases];
  const send = (reports: unknown[]) =>
    server.ask('agent', 'POST', '/v1/agents/one/results', { session, reports, claim: null });
  await send(rest.map((lease) => report(lease)));
  await send((await claim(server, 'one', session)).leases.map((lease) => report(lease)));
  server.clock.advance(60_000);
  samples = await scrape();
  expect(samples.get('planfleet_batches{state="active"}')).toBe(0);
  expect(samples.get('planfleet_recent_batches{state="succeeded"}')).toBe(1);
  expect(samples.get('planfleet_agents{state="missing"}')).toBe(1);
  expect(samples.get('planfleet_slots')).toBe(0);
});
