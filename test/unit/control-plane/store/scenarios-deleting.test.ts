import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BatchBlueprint } from '../../../../control-plane/src/blueprint.ts';
import { listBatches, readBatch } from '../../../../control-plane/src/store/queries/list-batches.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { deleteBatch } from '../../../../control-plane/src/store/transitions/delete-batch.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { removeDeleted } from '../../../../control-plane/src/store/transitions/remove-deleted.ts';
import { storeListChunks } from '../../../../control-plane/src/store/transitions/store-list-chunks.ts';
import { submitBatch } from '../../../../control-plane/src/store/transitions/submit-batch.ts';
import {
  batchBlueprint,
  inlineItems,
  listBatch,
  singleBatch,
  stageBlueprint,
  submission,
} from '../../../support/blueprints.ts';
import { firstLease, LEASE_MS, StoreHarness } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

const TABLES = ['batches', 'stages', 'stage_edges', 'lists', 'list_chunks', 'tasks', 'attempts', 'files'];

async function countRows(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of TABLES) {
    const [row] = await store.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table}`);
    counts[table] = Number(row?.n);
  }
  return counts;
}

/** A batch with a row in every table, cancelled while a list of it was still being read. */
const EVERYTHING: BatchBlueprint = batchBlueprint(
  [stageBlueprint('scan'), stageBlueprint('each'), stageBlueprint('tag'), stageBlueprint('read')],
  [
    ['scan', 'read', 'all'],
    ['each', 'tag', 'item'],
  ],
  [
    { stages: [1, 2], source: inlineItems(1_200) },
    { stages: [3], source: { kind: 'file', producer: 0, path: 'x', jsonpath: null } },
  ],
);

async function endEverything(): Promise<string> {
  const id = await store.submit(EVERYTHING);
  await store.tick();
  await store.register('a');
  const { leases } = await store.claim('a', 2);
  const [scan, ...rest] = leases;
  if (scan === undefined) throw new Error('Nothing was claimed.');
  const files = [{ path: 'x', sha256: 'x', size: 1, mode: 0o644 }];
  await store.finish(
    'a',
    rest.map((lease) => store.report(lease, 'succeeded', { files })),
  );
  await cancelBatch(store.db, { batch_id: id, now: store.now });
  await storeListChunks(store.db, {
    agent: 'a',
    request: { session: 1, list: 2, lease: scan.lease, chunks: [{ offset: 0, sha256: 'x', items: [1] }] },
  });
  await store.finish('a', [store.report(scan, 'stopped')]);
  await store.pass(5_000);
  expect(await store.batchState(id)).toBe('cancelled');
  return id;
}

const remove = (batch_id: string) => deleteBatch(store.db, { batch_id, now: store.now });

test('a deleted batch is gone from all views at once, and its rows after some ticks', async () => {
  const id = await endEverything();
  const full = await countRows();
  const kept = await store.submit(singleBatch('kept'));
  for (const table of TABLES) expect(full[table], table).toBeGreaterThan(0);
  expect(await remove(id)).toEqual({ ok: true });
  expect(await readBatch(store.db, id)).toBeNull();
  const { items } = await listBatches(store.db, { limit: 10, before: null });
  expect(items.map((batch) => batch.id)).toEqual([kept]);
  await store.pass(20_000);
  expect(await countRows()).toEqual({
    ...Object.fromEntries(TABLES.map((table) => [table, 0])),
    ...{ batches: 1, stages: 1, tasks: 1 },
  });
  expect(await readBatch(store.db, kept)).toMatchObject({ id: kept, total: 1 });
});

test('a batch that has not ended stays as it is', async () => {
  const id = await store.submit(singleBatch('work'));
  expect(await remove(id)).toEqual({ ok: false, reason: 'not_ended', state: 'active' });
  await store.register('a');
  await store.claim('a', 1);
  await cancelBatch(store.db, { batch_id: id, now: store.now });
  expect(await remove(id)).toEqual({ ok: false, reason: 'not_ended', state: 'cancelling' });
  expect(await readBatch(store.db, id)).toMatchObject({ id, state: 'cancelling', leased: 1 });
});

test('deleted twice, or never there, is not found', async () => {
  const id = await endEverything();
  await remove(id);
  expect(await remove(id)).toEqual({ ok: false, reason: 'not_found' });
  await store.pass(20_000);
  expect(await remove(id)).toEqual({ ok: false, reason: 'not_found' });
});

test('a chunk removes no more rows than it may, and the next one goes on where it ended', async () => {
  const id = await endEverything();
  await remove(id);
  const [row] = await store.rows<{ seq: number }>('SELECT seq FROM batches WHERE deleted_at IS NOT NULL');
  const seq = Number(row?.seq);
  let left = (await countRows())['tasks'] ?? 0;
  expect(left).toBeGreaterThan(2_400);
  let chunks = 0;
  for (let more = true; more; chunks++) {
    ({ more } = await removeDeleted(store.db, { seq }));
    const now = (await countRows())['tasks'] ?? 0;
    expect(left - now).toBeLessThanOrEqual(1_000);
    left = now;
    const { stages = 0, lists = 0 } = await countRows();
    // What the rest is found by stays until the rest is gone.
    if (left > 0) expect([stages, lists]).toEqual([4, 2]);
  }
  expect(chunks).toBe(3);
  expect(Object.values(await countRows()).every((count) => count === 0)).toBe(true);
  expect(await removeDeleted(store.db, { seq })).toEqual({ removed: 0, more: false });
});

test('what agents still say of it is harmless, before and after its rows are gone', async () => {
  const id = await store.submit(listBatch(3));
  await store.register('a');
  const { leases } = await store.claim('a', 1);
  const lease = firstLease(leases);
  // Its lease is lost, and the batch ends without it.
  await cancelBatch(store.db, { batch_id: id, now: store.now });
  await store.pass(LEASE_MS + 30_000);
  expect(await store.batchState(id)).toBe('cancelled');
  await remove(id);
  for (let round = 0; round < 2; round++) {
    const { results } = await store.finish('a', [store.report(lease)]);
    expect(results).toEqual(['lease_lost']);
    const request = {
      session: 1,
      running: [{ stage: lease.stage, ordinal: lease.ordinal, lease: lease.lease }],
    };
    expect(
      await recordHeartbeat(store.db, { agent: 'a', request, now: store.now, lease_ms: LEASE_MS }),
    ).toMatchObject({
      ok: true,
      answer: { gone: request.running },
    });
    await store.pass(20_000);
    expect(Object.values(await countRows()).every((count) => count === 0)).toBe(true);
  }
});

test('its id is not given to another batch of the same second, nor is its number', async () => {
  const first = await store.submit(singleBatch('a'));
  const second = await store.submit(singleBatch('b'));
  expect(second).toBe(`${first}_02`);
  for (const id of [first, second]) {
    await cancelBatch(store.db, { batch_id: id, now: store.now });
    expect(await remove(id)).toEqual({ ok: true });
  }
  await store.tick();
  expect(await store.submit(singleBatch('c'))).toBe(`${first}_03`);
  await cancelBatch(store.db, { batch_id: `${first}_03`, now: store.now });
  await remove(`${first}_03`);
  expect(await store.submit(singleBatch('d'))).toBe(`${first}_04`);
});

test('its idempotency key is free again', async () => {
  const idempotency = { key: 'k', digest: 'd', answer: {} };
  const submit = () => submitBatch(store.db, submission(singleBatch('a'), { now: store.now, idempotency }));
  const { batch_id } = await submit();
  expect(await submit()).toMatchObject({ batch_id, first: { batch_id } });
  await cancelBatch(store.db, { batch_id, now: store.now });
  await remove(batch_id);
  const again = await submit();
  expect(again.first).toBeNull();
  expect(again.batch_id).not.toBe(batch_id);
});
