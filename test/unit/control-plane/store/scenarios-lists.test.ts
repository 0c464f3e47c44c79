import type { LeasedTask } from '@planfleet/shared-types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findPending } from '../../../../control-plane/src/store/queries/find-pending.ts';
import { storeListChunks } from '../../../../control-plane/src/store/transitions/store-list-chunks.ts';

import { batchBlueprint, listBatch, singleBatch, stageBlueprint } from '../../../support/blueprints.ts';
import { firstLease, StoreHarness, TICK_MS } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

describe('lists', () => {
  const scanBatch = () =>
    batchBlueprint(
      [stageBlueprint('scan'), stageBlueprint('check', { max_attempts: 1 }), stageBlueprint('each')],
      [
        ['scan', 'each', 'all'],
        ['check', 'each', 'all'],
      ],
      [{ stages: [2], source: { kind: 'file', producer: 0, path: 'x', jsonpath: null } }],
    );

  async function send(lease: LeasedTask, chunks: { offset: number; items: unknown[] }[]) {
    const [list] = await store.rows<{ id: number }>('SELECT id FROM lists');
    const hashed = chunks.map((chunk) => ({ ...chunk, sha256: String(chunk.offset).padStart(64, '0') }));
    await storeListChunks(store.db, {
      agent: 'a',
      request: {
        session: store.sessions.get('a') ?? 0,
        list: list?.id ?? 0,
        lease: lease.lease,
        chunks: hashed,
      },
    });
    const count = chunks.reduce((sum, chunk) => sum + chunk.items.length, 0);
    return { list: list?.id ?? 0, count, chunks: hashed.map((chunk) => chunk.sha256) };
  }

  test('items arrive as they were written: long numbers, half characters, any type', async () => {
    const values = [
      0.30000000000000004,
      123456789.12345679,
      1.7976931348623157e308,
      'x\ud800y',
      '\u0000',
      null,
      true,
      { 'k\udfff': ['ä'] },
    ];
    await store.submit(
      batchBlueprint(
        [stageBlueprint('each')],
        [],
        [{ stages: [0], source: { kind: 'inline', items: values } }],
      ),
    );
    await store.register('a');
    const { leases } = await store.claim('a', values.length);
    expect(leases.map((lease) => lease.item)).toEqual(values);
  });

  test('half a character in what a task prints is replaced, and can be read back', async () => {
    await store.submit(singleBatch('work'));
    await store.register('a');
    const { leases } = await store.claim('a', 1);
    await store.finish('a', [store.report(firstLease(leases), 'succeeded', { tail: 'a\ud800b' })]);
    expect(await store.rows('SELECT tail FROM attempts')).toEqual([{ tail: 'a\ufffdb' }]);
  });

  test('chunks that overlap or leave a gap are not a complete list', async () => {
    await store.submit(scanBatch());
    await store.register('a');
    const { leases } = await store.claim('a', 1);
    const lease = firstLease(leases);
    const list = await send(lease, [
      { offset: 0, items: [1, 2] },
      { offset: 1, items: [3] },
      { offset: 3, items: [4] },
    ]);
    expect((await store.finish('a', [store.report(lease, 'succeeded', { lists: [list] })])).results).toEqual([
      'items_incomplete',
    ]);
  });

  test('a batch that fails beside a list ends once the list is made into tasks, and nothing stays pending', async () => {
    const id = await store.submit(scanBatch());
    await store.register('a');
    const { leases } = await store.claim('a', 2);
    const [scan, check] = leases;
    if (scan === undefined || check === undefined) throw new Error('two leases expected');
    const list = await send(
      scan,
      Array.from({ length: 3 }, (_, n) => ({
        offset: n * 500,
        items: Array.from({ length: 500 }, (_each, i) => n * 500 + i),
      })),
    );
    await store.finish('a', [
      store.report(check, 'failed'),
      store.report(scan, 'succeeded', { lists: [list] }),
    ]);
    expect(await store.batchState(id)).toBe('active');
    await store.pass(TICK_MS);
    expect(await store.batchState(id)).toBe('failed');
    expect(await store.taskStates('each')).toHaveLength(1_500);
    expect(await findPending(store.db)).toEqual({ lists: [], cancelling: [], retrying: [] });
  });
});

describe('files', () => {
  test('a success brings its files, a later one replaces them, a failure or a lost lease brings none', async () => {
    await store.submit(listBatch(3));
    await store.register('a');
    const { leases } = await store.claim('a', 3);
    const file = (path: string, digit: string) => ({ path, sha256: digit.repeat(64), size: 1, mode: 0o644 });
    const [one, two, three] = leases;
    if (one === undefined || two === undefined || three === undefined)
      throw new Error('three leases expected');
    await store.finish('a', [
      store.report(one, 'succeeded', { files: [file('output/a', '1'), file('output/b', '1')] }),
      store.report(two, 'failed', { files: [file('output/c', '2')] }),
      store.report({ ...three, lease: three.lease + 100 }, 'succeeded', { files: [file('output/a', '3')] }),
    ]);
    await store.finish('a', [store.report(three, 'succeeded', { files: [file('output/b', '3')] })]);
    const files = await store.rows<{ path: string; sha256: string; ordinal: number }>(
      'SELECT path, substr(sha256, 1, 1) AS sha256, ordinal FROM files ORDER BY path',
    );
    expect(files).toEqual([
      { path: 'output/a', sha256: '1', ordinal: 0 },
      { path: 'output/b', sha256: '3', ordinal: 2 },
    ]);
  });
});
