import { afterEach, beforeEach, expect, test } from 'vitest';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { drainAgent } from '../../../../control-plane/src/store/transitions/drain-agent.ts';
import { pauseBatch } from '../../../../control-plane/src/store/transitions/pause-batch.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { retryTask } from '../../../../control-plane/src/store/transitions/retry-task.ts';
import {
  batchBlueprint,
  inlineItems,
  listBatch,
  singleBatch,
  stageBlueprint,
} from '../../../support/blueprints.ts';
import { firstLease, StoreHarness } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
  await store.register('a');
});
afterEach(() => store.close());

const by = 'op';
const retry = (batch_id: string) => retryBatch(store.db, { batch_id, by, now: store.now });
const once = { max_attempts: 1 };

/** Claims everything there is and reports it; items at these ordinals fail. */
async function runAll(fails: readonly number[] = []): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const answer = await store.claim('a', 10_000);
    if (answer.leases.length === 0) return keys;
    keys.push(...store.keys(answer));
    const reports = answer.leases.map((lease) =>
      store.report(lease, fails.includes(lease.ordinal) ? 'failed' : 'succeeded'),
    );
    await store.finish('a', reports);
  }
}

/** Two stages above one that needs both, over one list, and a stage after all. */
const diamond = (items: number, change = {}) =>
  batchBlueprint(
    [
      stageBlueprint('cut', { ...once, ...change }),
      stageBlueprint('tag', { ...once, ...change }),
      stageBlueprint('join', { ...once, ...change }),
      stageBlueprint('sum', once),
    ],
    [
      ['cut', 'join', 'item'],
      ['tag', 'join', 'item'],
      ['join', 'sum', 'all'],
    ],
    [{ stages: [0, 1, 2], source: inlineItems(items) }],
  );

test('what was skipped waits again, and goes on when its item succeeds', async () => {
  const id = await store.submit(diamond(3));
  await runAll([1]);
  expect(await store.batchState(id)).toBe('failed');
  expect(await store.taskStates('join')).toEqual(['succeeded', 'skipped', 'succeeded']);
  expect(await retry(id)).toEqual({ ok: true, state: 'active', tasks: 3, more: false });
  expect(await store.taskStates('cut')).toEqual(['succeeded', 'ready', 'succeeded']);
  expect(await store.taskStates('join')).toEqual(['succeeded', 'waiting', 'succeeded']);
  expect(await runAll()).toEqual(['cut', 'tag', 'join', 'sum']);
  expect(await store.batchState(id)).toBe('succeeded');
});

test('one task alone brings along only what no other loss holds back', async () => {
  const id = await store.submit(diamond(2));
  await runAll([1]);
  const address = { batch_id: id, ordinal: 1, by, now: store.now };
  expect(await retryTask(store.db, { ...address, stage_key: 'cut' })).toEqual({ ok: true, tasks: 1 });
  expect(await store.taskStates('join')).toEqual(['succeeded', 'skipped']);
  expect(await retryTask(store.db, { ...address, stage_key: 'tag' })).toEqual({ ok: true, tasks: 2 });
  expect(await store.taskStates('join')).toEqual(['succeeded', 'waiting']);
  await runAll();
  expect(await store.batchState(id)).toBe('succeeded');
});

test('losses within max_failures are retried too; what ran after them is kept', async () => {
  const id = await store.submit(diamond(4, { max_failures: 1 }));
  await runAll([2]);
  expect(await store.batchState(id)).toBe('succeeded');
  expect(await retry(id)).toMatchObject({ ok: true, tasks: 3 });
  expect(await store.batchState(id)).toBe('active');
  expect(await runAll()).toEqual(['cut', 'tag', 'join']);
  expect(await store.batchState(id)).toBe('succeeded');
  expect(await store.taskStates('sum')).toEqual(['succeeded']);
});

test('a stage that failed waits while one before it is retried', async () => {
  const id = await store.submit(
    batchBlueprint(
      [stageBlueprint('each', { ...once, max_failures: 1 }), stageBlueprint('sum', once)],
      [['each', 'sum', 'all']],
      [{ stages: [0], source: inlineItems(3) }],
    ),
  );
  await runAll([0]);
  expect(await store.batchState(id)).toBe('failed');
  await retry(id);
  expect(await runAll()).toEqual(['each', 'sum']);
  expect(await store.batchState(id)).toBe('succeeded');
});

test('a retry while other tasks run takes nothing from them, and a late result of the old lease changes nothing', async () => {
  const id = await store.submit(listBatch(3, once));
  const { leases } = await store.claim('a', 3);
  const [first, second, third] = leases;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three leases');
  await store.finish('a', [store.report(first, 'failed')]);
  expect(await retry(id)).toMatchObject({ ok: true, tasks: 1 });
  expect(await store.taskStates('each')).toEqual(['ready', 'leased', 'leased']);
  expect((await store.finish('a', [store.report(first), store.report(second)])).results).toEqual([
    'lease_lost',
    'accepted',
  ]);
  const again = firstLease((await store.claim('a', 3, [third])).leases);
  expect(again).toMatchObject({ ordinal: 0, attempt: 2 });
  await store.finish('a', [store.report(again), store.report(third)]);
  expect(await store.batchState(id)).toBe('succeeded');
});

test('a large batch opens at once, and its rows follow in chunks', async () => {
  const id = await store.submit(listBatch(5_000, once));
  await store.register('a', { slots: 10_000 });
  await store.pass(5_000);
  await runAll(Array.from({ length: 5_000 }, (_, ordinal) => ordinal));
  expect(await store.batchState(id)).toBe('failed');
  expect(await retry(id)).toEqual({ ok: true, state: 'active', tasks: 5_000, more: true });
  const readyOf = async () => (await store.rows<{ ready: number }>('SELECT ready FROM stages'))[0]?.ready;
  expect(await readyOf()).toBe(1_000);
  // What fails again meanwhile is not this retry's.
  const { leases } = await store.claim('a', 100);
  await store.finish(
    'a',
    leases.map((lease) => store.report(lease, 'failed')),
  );
  expect(await store.tick()).toMatchObject({ chunks_retried: 4 });
  expect(await readyOf()).toBe(4_900);
  await runAll();
  expect(await store.batchState(id)).toBe('failed');
  expect(await retry(id)).toMatchObject({ ok: true, tasks: 100 });
});

test('a stage whose tasks are still to be re-opened does not end', async () => {
  const id = await store.submit(listBatch(1_500, once));
  await store.register('a', { slots: 10_000 });
  await store.pass(5_000);
  await runAll(Array.from({ length: 1_500 }, (_, ordinal) => ordinal));
  expect(await retry(id)).toMatchObject({ more: true });
  await runAll();
  expect(await store.batchState(id)).toBe('active');
  await store.tick();
  await runAll();
  expect(await store.batchState(id)).toBe('succeeded');
});

test('a paused batch stays paused when it is retried', async () => {
  const id = await store.submit(listBatch(2, once));
  const { leases } = await store.claim('a', 2);
  const [first, second] = leases;
  if (first === undefined || second === undefined) throw new Error('two leases');
  await pauseBatch(store.db, { batch_id: id, by, now: store.now });
  await store.finish('a', [store.report(first, 'failed')]);
  expect(await retry(id)).toMatchObject({ ok: true, state: 'paused' });
  expect((await store.claim('a', 2, [second])).leases).toEqual([]);
  expect(await store.taskStates('each')).toEqual(['ready', 'leased']);
});

test('a paused batch whose last task ends is over', async () => {
  const id = await store.submit(singleBatch('work'));
  const { leases } = await store.claim('a', 1);
  await pauseBatch(store.db, { batch_id: id, by, now: store.now });
  await store.finish(
    'a',
    leases.map((lease) => store.report(lease)),
  );
  expect(await store.batchState(id)).toBe('succeeded');
});

test('a batch that is cancelled while it is retried ends', async () => {
  const id = await store.submit(listBatch(1_500, once));
  await store.register('a', { slots: 10_000 });
  await store.pass(5_000);
  await runAll(Array.from({ length: 1_500 }, (_, ordinal) => ordinal));
  await retry(id);
  await cancelBatch(store.db, { batch_id: id, by, now: store.now });
  await store.tick();
  expect(await store.batchState(id)).toBe('cancelled');
  expect(await retry(id)).toEqual({ ok: false, reason: 'cancelled', state: 'cancelled' });
});

test('a draining agent is not given what it has room for', async () => {
  await store.submit(listBatch(2));
  await drainAgent(store.db, { agent: 'a', by, now: store.now });
  expect((await store.claim('a', 2)).leases).toEqual([]);
  await store.register('b');
  expect((await store.claim('b', 2)).leases).toHaveLength(2);
});

test('the retry of one task below which a wide group is kept back by others answers at once', async () => {
  const id = await store.submit(
    batchBlueprint(
      [stageBlueprint('cut', once), stageBlueprint('join', { group_size: 1_000 }), stageBlueprint('part')],
      [
        ['cut', 'join', 'item'],
        ['join', 'part', 'item'],
      ],
      [{ stages: [0, 1, 2], source: inlineItems(1_000) }],
    ),
  );
  await store.tick();
  await runAll(Array.from({ length: 1_000 }, (_, n) => n));
  const began = performance.now();
  expect(
    await retryTask(store.db, { batch_id: id, stage_key: 'cut', ordinal: 7, by, now: store.now }),
  ).toEqual({ ok: true, tasks: 1 });
  // 10 ms; asked of each task below by itself, all the way up, it was seconds.
  expect(performance.now() - began).toBeLessThan(400);
  expect(await store.taskStates('join')).toEqual(['skipped']);
  expect(new Set(await store.taskStates('part'))).toEqual(new Set(['skipped']));
});
