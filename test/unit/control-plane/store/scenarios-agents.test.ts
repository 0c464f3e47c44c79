import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';

import {
  batchBlueprint,
  inlineItems,
  listBatch,
  singleBatch,
  stageBlueprint,
} from '../../../support/blueprints.ts';
import { firstLease, LEASE_MS, StoreHarness } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

describe('agents', () => {
  test('a heartbeat or a claim of an agent that never registered is told so', async () => {
    const request = { session: 1, running: [{ stage: 1, ordinal: 0, lease: 1 }] };
    expect(
      await recordHeartbeat(store.db, { agent: 'nobody', request, now: store.now, lease_ms: LEASE_MS }),
    ).toEqual({
      ok: false,
      reason: 'session_superseded',
    });
    expect(await store.tryClaim('nobody', 1)).toEqual({ ok: false, reason: 'session_superseded' });
  });

  test('a new process of an agent is a new session; what the old one cannot report is ready again', async () => {
    await store.submit(listBatch(3));
    await store.register('a');
    const { leases } = await store.claim('a', 3);
    store.now += 1_000;
    const kept = leases.slice(0, 1);
    expect(await store.register('a', { have: kept })).toEqual({ ok: true, session: 2 });
    expect(await store.taskStates('each')).toEqual(['leased', 'ready', 'ready']);
    expect(
      (
        await store.finish(
          'a',
          kept.map((lease) => store.report(lease)),
        )
      ).results,
    ).toEqual(['accepted']);
  });

  test('the same registration again changes nothing', async () => {
    await store.submit(singleBatch('work'));
    await store.register('a', { boot_id: 'the same boot' });
    await store.claim('a', 1);
    expect(await store.register('a', { boot_id: 'the same boot' })).toEqual({ ok: true, session: 1 });
    expect(await store.taskStates('work')).toEqual(['leased']);
  });

  test('a delayed registration of an older process is refused, and the older process is told so', async () => {
    await store.register('a', { started_at: 1_000 });
    const old = store.sessions.get('a') ?? 0;
    store.now += 1;
    await store.register('a', { started_at: 2_000 });
    store.now += 1;
    expect(await store.register('a', { started_at: 1_500 })).toEqual({
      ok: false,
      reason: 'session_superseded',
    });
    store.sessions.set('a', old);
    expect(await store.tryClaim('a', 1)).toEqual({ ok: false, reason: 'session_superseded' });
  });

  test('a machine whose clock was set back can register once the silence has lasted a lease', async () => {
    await store.register('a', { started_at: 2_000 });
    store.now += LEASE_MS + 1;
    expect(await store.register('a', { started_at: 1_000 })).toEqual({ ok: true, session: 2 });
  });
});

describe('failures', () => {
  test('a retry waits, longer each time, and is claimed when it is due without a tick', async () => {
    await store.submit(singleBatch('work', { max_attempts: 5 }));
    await store.register('a');
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt++) {
      const { leases } = await store.claim('a', 1);
      await store.finish('a', [store.report(firstLease(leases), 'failed')]);
      const [row] = await store.rows<{ not_before: number }>('SELECT not_before FROM tasks');
      waits.push((row?.not_before ?? 0) - store.now);
      store.now = (row?.not_before ?? 0) - 1;
      expect((await store.claim('a', 1)).leases).toEqual([]);
      store.now += 1;
    }
    const expected = [2_000, 4_000, 8_000, 16_000];
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual((expected[index] ?? 0) * 0.8);
      expect(wait).toBeLessThanOrEqual((expected[index] ?? 0) * 1.2);
    }
  });

  test('work handed back is ready at once and has used nothing up', async () => {
    await store.submit(singleBatch('work', { max_attempts: 1 }));
    await store.register('a');
    const { leases } = await store.claim('a', 1);
    await store.finish('a', [store.report(firstLease(leases), 'returned')]);
    expect(await store.rows('SELECT state, tries, losses FROM tasks')).toEqual([
      { state: 'ready', tries: 0, losses: 0 },
    ]);
  });

  test.each([
    ['a number', { max_failures: 2 }, 2, 'succeeded'],
    ['a number, one too many', { max_failures: 1 }, 2, 'failed'],
    ['a share', { max_failures_percent: 20 }, 2, 'succeeded'],
    ['a share, one too many', { max_failures_percent: 10 }, 2, 'failed'],
  ] as const)('max_failures as %s', async (_what, change, failures, end) => {
    const id = await store.submit(
      batchBlueprint(
        [stageBlueprint('each', { ...change, max_attempts: 1 }), stageBlueprint('after')],
        [['each', 'after', 'all']],
        [{ stages: [0], source: inlineItems(10) }],
      ),
    );
    await store.register('a');
    const { leases } = await store.claim('a', 10);
    const reports = leases.map((lease, n) => store.report(lease, n < failures ? 'failed' : 'succeeded'));
    const { claim } = await store.finish('a', reports, 10);
    expect(store.keys(claim)).toEqual(end === 'succeeded' ? ['after'] : []);
    if (claim !== null && claim.leases.length > 0)
      await store.finish(
        'a',
        claim.leases.map((lease) => store.report(lease)),
      );
    expect(await store.batchState(id)).toBe(end);
  });
});
