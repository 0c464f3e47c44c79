import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { batchBlueprint, listBatch, singleBatch, stageBlueprint } from '../../../support/blueprints.ts';
import { StoreHarness } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

describe('claiming', () => {
  test('takes as many as fit the slots, counting what the agent holds already', async () => {
    await store.submit(listBatch(10));
    await store.register('a');
    const held = await store.claim('a', 4);
    expect(held.leases.map((lease) => lease.ordinal)).toEqual([0, 1, 2, 3]);
    expect(held.leases.map((lease) => lease.item)).toEqual([0, 1, 2, 3].map((n) => ({ id: `i${n}` })));
    expect((await store.claim('a', 4, held.leases)).leases).toEqual([]);
    expect((await store.claim('a', 6, held.leases)).leases).toHaveLength(2);
  });

  test('an answer that was lost: the next claim returns the same leases and takes no more', async () => {
    await store.submit(listBatch(10));
    await store.register('a');
    const lost = await store.claim('a', 3);
    const again = await store.claim('a', 3);
    expect(again.leases).toEqual(lost.leases);
    expect(await store.taskStates('each')).toEqual([...Array(3).fill('leased'), ...Array(7).fill('ready')]);
  });

  test('higher priority first, and equals take turns', async () => {
    await store.submit(listBatch(100, { priority: 5 }));
    await store.register('a');
    await store.register('b');
    await store.claim('a', 4);
    await store.submit(singleBatch('small', { priority: 5 }));
    await store.submit(singleBatch('urgent', { priority: 9 }));
    expect(store.keys(await store.claim('b', 1))).toEqual(['urgent']);
    await store.register('c');
    expect(store.keys(await store.claim('c', 1))).toEqual(['small']);
  });

  test('a small batch behind one of 100,000 tasks starts within one claim cycle', async () => {
    await store.submit(listBatch(100_000));
    await store.register('a');
    let held = (await store.claim('a', 16)).leases;
    await store.submit(singleBatch('small'));
    const reports = held.map((lease) => store.report(lease));
    const next = await store.finish('a', reports, 16);
    held = next.claim?.leases ?? [];
    expect(store.keys(next.claim)).toContain('small');
  });

  test('labels: a task goes only to an agent that has all of them', async () => {
    await store.submit(singleBatch('special', { labels: ['a100', 'big disk'] }));
    await store.register('plain', { labels: ['a100'] });
    await store.register('right', { labels: ['big disk', 'a100', 'x'] });
    expect((await store.claim('plain', 4)).leases).toEqual([]);
    expect(store.keys(await store.claim('right', 4))).toEqual(['special']);
  });

  test('tasks for a card, a model or the brain are not for CPU slots', async () => {
    await store.submit(
      batchBlueprint(
        ['script', 'llm', 'meta', 'decide'].map((kind) => stageBlueprint(kind, { task_class: kind })),
      ),
    );
    await store.register('a');
    expect((await store.claim('a', 10)).leases).toEqual([]);
  });

  test('a batch stays where its first task ran, until files travel', async () => {
    await store.submit(listBatch(10));
    await store.register('here', { storage: 'disk 1' });
    await store.register('there', { storage: 'disk 2' });
    await store.register('beside', { storage: 'disk 1' });
    await store.claim('here', 2);
    expect((await store.claim('there', 2)).leases).toEqual([]);
    expect((await store.claim('beside', 2)).leases).toHaveLength(2);
  });
});
