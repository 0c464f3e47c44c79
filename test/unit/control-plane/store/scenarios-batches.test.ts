import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginTick } from '../../../../control-plane/src/store/transitions/begin-tick.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';

import {
  batchBlueprint,
  inlineItems,
  listBatch,
  singleBatch,
  stageBlueprint,
} from '../../../support/blueprints.ts';
import { LEASE_MS, StoreHarness, TICK_MS } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

describe('the tick', () => {
  test('a step that fails does not keep the others from their work, and is told', async () => {
    await store.submit(singleBatch('work'));
    await store.register('a');
    await store.claim('a', 1);
    await store.db.batch(
      [
        { sql: 'DROP INDEX tasks_backoff', params: {} },
        { sql: 'ALTER TABLE list_chunks RENAME TO gone', params: {} },
      ],
      'write',
    );
    for (let tick = 0; tick < 9; tick++) {
      store.now += TICK_MS;
      await store.tick().catch((error: unknown) => expect(String(error)).toMatch(/steps of the tick failed/));
    }
    expect(await store.taskStates('work')).toEqual(['ready']);
  });

  test('a control plane that dies in the middle of a tick is no outage when another one comes at once', async () => {
    await store.submit(singleBatch('work'));
    await store.register('a');
    await store.claim('a', 1);
    store.now += TICK_MS;
    await beginTick(store.db, { now: store.now, tick_ms: TICK_MS, lease_ms: LEASE_MS });
    await store.pass(LEASE_MS + TICK_MS);
    expect(await store.taskStates('work')).toEqual(['ready']);
  });
});

describe('batches', () => {
  test('a stage may wait for a whole stage and for its own item of it', async () => {
    const id = await store.submit(
      batchBlueprint(
        [stageBlueprint('a', { max_failures: 1, max_attempts: 1 }), stageBlueprint('b')],
        [
          ['a', 'b', 'all'],
          ['a', 'b', 'item'],
        ],
        [{ stages: [0, 1], source: inlineItems(3) }],
      ),
    );
    await store.register('z');
    const { leases } = await store.claim('z', 3);
    const next = await store.finish(
      'z',
      leases.map((lease, n) => store.report(lease, n === 1 ? 'failed' : 'succeeded')),
      5,
    );
    expect(store.keys(next.claim)).toEqual(['b', 'b']);
    expect(await store.taskStates('b')).toEqual(['leased', 'skipped', 'leased']);
    await store.finish(
      'z',
      (next.claim?.leases ?? []).map((lease) => store.report(lease)),
    );
    expect(await store.batchState(id)).toBe('succeeded');
  });

  test('batches of one second get ids of their own', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await store.submit(singleBatch('work')));
    const [base = ''] = ids;
    expect(base).toMatch(/^\d{8}_\d{6}$/);
    expect(ids.slice(1)).toEqual(
      Array.from({ length: 11 }, (_, n) => `${base}_${String(n + 2).padStart(2, '0')}`),
    );
  });

  test('a chain of lists without items ends at once, and opens what comes after it', async () => {
    const keys = ['a', 'b', 'c', 'd'];
    const id = await store.submit(
      batchBlueprint(
        [...keys.map((key) => stageBlueprint(key)), stageBlueprint('end')],
        [...keys, 'end'].slice(1).map((key, n) => [keys[n] ?? '', key, 'all'] as const),
        keys.map((_, n) => ({ stages: [n] as const, source: inlineItems(0) })),
      ),
    );
    await store.register('z');
    expect(store.keys(await store.claim('z', 5))).toEqual(['end']);
    expect(await store.batchState(id)).toBe('active');
  });

  test('cancel of a large batch gates at once and sweeps its rows in chunks', async () => {
    const id = await store.submit(listBatch(6_000));
    await store.pass(TICK_MS);
    await store.register('a');
    const { leases } = await store.claim('a', 2);
    expect(await cancelBatch(store.db, { batch_id: id, now: store.now })).toMatchObject({
      ok: true,
      state: 'cancelling',
    });
    expect((await store.claim('a', 10, leases)).leases).toEqual([]);
    await store.pass(2 * TICK_MS);
    expect(await store.batchState(id)).toBe('cancelling');
    await store.finish(
      'a',
      leases.map((lease) => store.report(lease, 'stopped')),
    );
    expect(await store.batchState(id)).toBe('cancelled');
    expect(new Set(await store.taskStates('each'))).toEqual(new Set(['cancelled']));
    expect(await cancelBatch(store.db, { batch_id: id, now: store.now })).toMatchObject({
      ok: false,
      reason: 'already_ended',
    });
  });

  test('a cancelled batch whose machine died ends when the lease does', async () => {
    const id = await store.submit(singleBatch('work'));
    await store.register('a');
    await store.claim('a', 1);
    await cancelBatch(store.db, { batch_id: id, now: store.now });
    await store.pass(LEASE_MS + TICK_MS + 1);
    expect(await store.batchState(id)).toBe('cancelled');
  });
});
