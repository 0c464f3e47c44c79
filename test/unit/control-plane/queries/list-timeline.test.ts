import type { Page, TimelineEntry } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, listPlan, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { openTestApp, readJson, START, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeEach(async () => {
  server = await openTestApp();
});
afterEach(() => server.close());

async function readTimeline(batchId: string, query = ''): Promise<Page<TimelineEntry>> {
  const response = await server.ask('read', 'GET', `/v1/batches/${batchId}/timeline${query}`);
  expect(response.status).toBe(200);
  return readJson<Page<TimelineEntry>>(response);
}

/** Runs what can be claimed, as one agent. */
async function runSome(session: number, outcome: 'succeeded' | 'failed'): Promise<void> {
  const { leases } = await claim(server, 'one', session);
  const error_type = outcome === 'failed' ? 'worker' : null;
  const reports = leases.map((lease) => report(lease, { outcome, error_type, started_at: START }));
  await server.ask('agent', 'POST', '/v1/agents/one/results', { session, reports, claim: null });
}

test('each attempt that has ended is told with its times, tries of one task after each other', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const session = await register(server, 'one');
  await runSome(session, 'failed');
  server.clock.advance(3_600_000);
  const again = await register(server, 'one', { boot_id: 'boot-again', started_at: 2 });
  await runSome(again, 'succeeded');
  await runSome(again, 'succeeded');
  const { items, next_cursor } = await readTimeline(batch_id);
  expect(items.map(({ task, attempt, outcome }) => [task, attempt, outcome])).toEqual([
    [`${batch_id}:a:0`, 1, 'failed'],
    [`${batch_id}:a:0`, 2, 'succeeded'],
    [`${batch_id}:b:0`, 1, 'succeeded'],
  ]);
  expect(items[0]).toMatchObject({
    stage: 'a',
    agent: 'one',
    claimed_at: new Date(START).toISOString(),
    started_at: new Date(START).toISOString(),
  });
  expect(next_cursor).toBeNull();
});

test('pages follow each other, and another batch is another matter', async () => {
  const { batch_id } = await submitPlan(server, listPlan(7));
  const other = await submitPlan(server, planOf(['a']));
  for (const work of server.deferred.splice(0)) await work();
  const session = await register(server, 'one');
  for (let rounds = 0; rounds < 3; rounds++) await runSome(session, 'succeeded');
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Page<TimelineEntry> = await readTimeline(
      batch_id,
      `?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
    );
    seen.push(...page.items.map(({ task }) => task));
    cursor = page.next_cursor;
  }
  expect(seen).toEqual(Array.from({ length: 7 }, (_, ordinal) => `${batch_id}:each:${ordinal}`));
  expect((await readTimeline(other.batch_id)).items.map(({ task }) => task)).toEqual([
    `${other.batch_id}:a:0`,
  ]);
});

test('a cursor that is none and a batch that is not there are told', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const wrong = await server.ask('read', 'GET', `/v1/batches/${batch_id}/timeline?cursor=1.2`);
  expect(wrong.status).toBe(422);
  const missing = await server.ask('read', 'GET', '/v1/batches/20200101_000000/timeline');
  expect(missing.status).toBe(404);
});
