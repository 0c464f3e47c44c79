import type { LeasedTask } from '@planfleet/shared-types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { storeLogChunks } from '../../../../control-plane/src/store/transitions/store-log-chunks.ts';

import { listBatch, singleBatch } from '../../../support/blueprints.ts';
import { firstLease, LEASE_MS, StoreHarness, TICK_MS } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

describe('leases', () => {
  test('an agent that falls silent loses its tasks after one lease, and another claim takes them at once', async () => {
    await store.submit(singleBatch('work'));
    await store.register('dead');
    await store.register('alive');
    await store.claim('dead', 1);
    await store.pass(LEASE_MS - 10_000);
    await store.claim('alive', 1);
    expect(await store.taskStates('work')).toEqual(['leased']);
    store.now += 10_001;
    const taken = await store.claim('alive', 1);
    expect(taken.leases).toMatchObject([{ attempt: 2 }]);
  });

  test('a heartbeat keeps them, whatever the agent does besides', async () => {
    await store.submit(singleBatch('work'));
    await store.register('a');
    const { leases } = await store.claim('a', 1);
    const session = store.sessions.get('a') ?? 0;
    for (let beat = 0; beat < 12; beat++) {
      await store.pass(10_000);
      await recordHeartbeat(store.db, {
        agent: 'a',
        request: { session, running: leases },
        now: store.now,
        lease_ms: LEASE_MS,
      });
    }
    expect(await store.taskStates('work')).toEqual(['leased']);
  });

  test('a late result counts while nobody has claimed the task, and not after', async () => {
    await store.submit(listBatch(2));
    await store.register('slow');
    const { leases } = await store.claim('slow', 2);
    await store.pass(LEASE_MS + TICK_MS + 1);
    expect(await store.taskStates('each')).toEqual(['ready', 'ready']);
    await store.register('other');
    await store.claim('other', 1);
    const answer = await store.finish(
      'slow',
      leases.map((lease) => store.report(lease)),
    );
    expect(answer.results).toEqual(['lease_lost', 'accepted']);
    expect(await store.taskStates('each')).toEqual(['leased', 'succeeded']);
    const attempts = await store.rows<{ outcome: string; late: number }>(
      'SELECT outcome, late FROM attempts ORDER BY ordinal, attempt',
    );
    expect(attempts).toEqual([
      { outcome: 'lost', late: 0 },
      { outcome: 'succeeded', late: 1 },
    ]);
  });

  test('a late failure changes nothing', async () => {
    await store.submit(singleBatch('work'));
    await store.register('slow');
    const { leases } = await store.claim('slow', 1);
    await store.pass(LEASE_MS + TICK_MS + 1);
    expect((await store.finish('slow', [store.report(firstLease(leases), 'failed')])).results).toEqual([
      'lease_lost',
    ]);
    expect(await store.taskStates('work')).toEqual(['ready']);
  });

  test('after an outage of the control plane nothing expires before agents could be heard again', async () => {
    await store.submit(singleBatch('work'));
    await store.register('a');
    await store.register('b');
    await store.claim('a', 1);
    store.now += 2 * 3_600_000;
    // Before the first tick, and through claims of others, too.
    expect((await store.claim('b', 1)).leases).toEqual([]);
    await store.tick();
    expect(await store.taskStates('work')).toEqual(['leased']);
    await store.pass(LEASE_MS + 3 * TICK_MS - 1);
    expect(await store.taskStates('work')).toEqual(['leased']);
    await store.pass(2 * TICK_MS);
    expect(await store.taskStates('work')).toEqual(['ready']);
  });

  test('a task that has lost its machine five times is abandoned', async () => {
    const id = await store.submit(singleBatch('poison'));
    for (let loss = 1; loss <= 5; loss++) {
      await store.register('a');
      expect(await store.taskStates('poison')).toEqual(['ready']);
      await store.claim('a', 1);
      store.now += 1;
    }
    await store.register('a');
    expect(await store.taskStates('poison')).toEqual(['abandoned']);
    expect(await store.batchState(id)).toBe('failed');
  });

  test('a heartbeat tells which leases are gone and which to stop', async () => {
    const id = await store.submit(listBatch(3));
    await store.register('a');
    const { leases } = await store.claim('a', 3);
    await store.pass(LEASE_MS + TICK_MS + 1);
    await store.register('b');
    const [taken] = (await store.claim('b', 1)).leases;
    const beat = (agent: string, running: readonly LeasedTask[]) =>
      recordHeartbeat(store.db, {
        agent,
        now: store.now,
        lease_ms: LEASE_MS,
        request: {
          session: store.sessions.get(agent) ?? 0,
          running: running.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease })),
        },
      });
    expect(await beat('a', leases)).toMatchObject({
      ok: true,
      answer: { stops: [], gone: [{ ordinal: taken?.ordinal }] },
    });
    await cancelBatch(store.db, { batch_id: id, now: store.now });
    // A claim tells a stop once, or it would be answered at once for ever; heartbeats repeat it.
    const known = taken === undefined ? [] : [taken];
    expect((await store.claim('b', 1, known)).stops).toHaveLength(1);
    expect((await store.claim('b', 1, known)).stops).toEqual([]);
    expect(await beat('b', taken === undefined ? [] : [taken])).toMatchObject({
      answer: { stops: [{ ordinal: taken?.ordinal }], gone: [] },
    });
  });
});

describe('after a silence', () => {
  test('a machine takes back what it still runs and nobody has claimed, and is not given it anew', async () => {
    await store.submit(listBatch(2));
    await store.register('a');
    const { leases } = await store.claim('a', 2);
    await store.pass(LEASE_MS + TICK_MS + 1);
    expect(await store.taskStates('each')).toEqual(['ready', 'ready']);
    expect((await store.claim('a', 2, leases)).leases).toEqual([]);
    const running = leases.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease }));
    const session = store.sessions.get('a') ?? 0;
    const beat = await recordHeartbeat(store.db, {
      agent: 'a',
      request: { session, running },
      now: store.now,
      lease_ms: LEASE_MS,
    });
    expect(beat).toEqual({ ok: true, answer: { stops: [], gone: [] } });
    expect(await store.rows('SELECT state, losses FROM tasks')).toEqual(
      leases.map(() => ({ state: 'leased', losses: 0 })),
    );
    const reports = leases.map((lease) => store.report(lease, 'failed'));
    expect((await store.finish('a', reports)).results).toEqual(['accepted', 'accepted']);
    expect(await store.rows('SELECT outcome, error_type, late FROM attempts')).toEqual(
      leases.map(() => ({ outcome: 'failed', error_type: 'worker', late: 0 })),
    );
  });
});

test('live output of a lost attempt does not outlive a cancel', async () => {
  const id = await store.submit(singleBatch('scan'));
  await store.register('a');
  const { leases } = await store.claim('a', 1);
  const { stage, ordinal, attempt, lease } = firstLease(leases);
  const text = { offset: 0, size: 3, encoding: 'identity', data: 'YWJj' } as const;
  const chunk = { stage, ordinal, attempt, lease, ...text, progress: null, progress_text: null };
  const session = store.sessions.get('a') ?? 0;
  await storeLogChunks(store.db, { agent: 'a', session, chunks: [chunk], now: store.now });
  await store.pass(LEASE_MS + 10_000);
  expect(await store.taskStates('scan')).toEqual(['ready']);
  // Still the agent's own, if it comes back.
  expect(await store.rows('SELECT * FROM log_chunks')).toHaveLength(1);
  await cancelBatch(store.db, { batch_id: id, now: store.now });
  await store.tick();
  expect(await store.rows('SELECT * FROM log_chunks')).toEqual([]);
  expect(await store.rows('SELECT * FROM live_logs')).toEqual([]);
});
