import type { LeasedTask, Report } from '@planfleet/shared-types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BatchBlueprint } from '../../../../control-plane/src/blueprint.ts';
import { listTasks } from '../../../../control-plane/src/store/queries/list-tasks.ts';
import { readTask } from '../../../../control-plane/src/store/queries/read-task.ts';
import { expandList } from '../../../../control-plane/src/store/transitions/expand-list.ts';
import { storeListChunks } from '../../../../control-plane/src/store/transitions/store-list-chunks.ts';
import { batchBlueprint, inlineItems, listBatch, stageBlueprint } from '../../../support/blueprints.ts';
import { firstLease, StoreHarness } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

/** Stages over one list of `items`, each with its group size, each waiting for its items of the one before. */
function chain(items: number, sizes: Record<string, number>, change = {}): BatchBlueprint {
  const keys = Object.keys(sizes);
  return batchBlueprint(
    keys.map((key) => stageBlueprint(key, { group_size: sizes[key] ?? 1, ...change })),
    keys.slice(1).map((key, index) => [keys[index] ?? '', key, 'item'] as const),
    [{ stages: [0, ...keys.slice(1).map((_, index) => index + 1)], source: inlineItems(items) }],
  );
}

/** Claims and ends all there is; `judge` says how. Returns the keys and ordinals in the order of the claims. */
async function work(
  slots: number,
  judge: (key: string, ordinal: number) => Report['outcome'] = () => 'succeeded',
) {
  const done: string[] = [];
  for (;;) {
    const answer = await store.claim('a', slots);
    if (answer.leases.length === 0) return done;
    const keys = store.keys(answer);
    const reports = answer.leases.map((lease, index) => {
      done.push(`${keys[index]}:${lease.ordinal}`);
      return store.report(lease, judge(keys[index] ?? '', lease.ordinal));
    });
    await store.finish('a', reports);
  }
}

describe('groups of items', () => {
  test('a claim brings the items of each group, the last one smaller, and names show the numbers', async () => {
    const id = await store.submit(listBatch(10, { group_size: 4 }));
    await store.register('a');
    const { leases } = await store.claim('a', 5);
    expect(leases.map((lease) => lease.group)).toEqual([
      { first: 0, items: [{ id: 'i0' }, { id: 'i1' }, { id: 'i2' }, { id: 'i3' }] },
      { first: 4, items: [{ id: 'i4' }, { id: 'i5' }, { id: 'i6' }, { id: 'i7' }] },
      { first: 8, items: [{ id: 'i8' }, { id: 'i9' }] },
    ]);
    const page = await listTasks(store.db, {
      batch_id: id,
      state: null,
      stage: null,
      limit: 10,
      after: null,
    });
    expect(page?.items.map((task) => task.name)).toEqual([
      'each_batch_0001_0004',
      'each_batch_0005_0008',
      'each_batch_0009_0010',
    ]);
    expect(leases.map((lease) => lease.name)).toEqual(page?.items.map((task) => task.name));
    const detail = await readTask(store.db, { batch_id: id, stage_key: 'each', ordinal: 2 });
    expect(detail).toMatchObject({ item: null, items: [{ id: 'i8' }, { id: 'i9' }] });
  });

  test('a stage of single items beside one of groups gets its items as ever', async () => {
    const id = await store.submit(chain(3, { one: 1, two: 2 }));
    await store.register('a');
    const { leases } = await store.claim('a', 5);
    expect(leases.map((lease) => lease.item)).toEqual([{ id: 'i0' }, { id: 'i1' }, { id: 'i2' }]);
    expect(await readTask(store.db, { batch_id: id, stage_key: 'one', ordinal: 1 })).toMatchObject({
      name: 'one_i1',
      item: { id: 'i1' },
    });
  });

  test('a group starts when all groups it shares items with have succeeded', async () => {
    // big:0 has the items 0 to 4, of the groups of two 0, 1 and 2; the last of these is also in big:1.
    await store.submit(chain(7, { small: 2, big: 5 }));
    await store.register('a');
    const { leases } = await store.claim('a', 10);
    expect(leases).toHaveLength(4);
    const [first, second, third, fourth] = leases.map((lease) => store.report(lease));
    if (!first || !second || !third || !fourth) throw new Error('four leases expected');
    expect(store.keys((await store.finish('a', [third, fourth], 10)).claim)).toEqual(['big']);
    expect(await store.taskStates('big')).toEqual(['waiting', 'leased']);
    await store.finish('a', [second]);
    expect(await store.taskStates('big')).toEqual(['waiting', 'leased']);
    await store.finish('a', [first]);
    expect(await store.taskStates('big')).toEqual(['ready', 'leased']);
  });

  test('an abandoned group takes along every group that shares an item with it, at any depth', async () => {
    const id = await store.submit(chain(9, { a: 2, b: 3, c: 1 }, { max_attempts: 1, max_failures: 9 }));
    await store.register('a');
    // a:1 has the items 2 and 3, and so b:0 and b:1 are lost, and c from 0 to 5.
    await work(20, (key, ordinal) => (key === 'a' && ordinal === 1 ? 'failed' : 'succeeded'));
    expect(await store.taskStates('b')).toEqual(['skipped', 'skipped', 'succeeded']);
    expect((await store.taskStates('c')).map((state) => state[1])).toEqual([...'kkkkkkuuu']);
    expect(await store.batchState(id)).toBe('succeeded');
  });

  test('groups over chunk borders are made once, whole and in order', async () => {
    // Chunks of 500: 500 is no multiple of 7, nor of 300.
    const id = await store.submit(chain(1_100, { a: 7, b: 300, c: 1 }));
    await store.register('a');
    await store.tick();
    const stages = await store.rows<{ key: string; total: number }>(
      'SELECT key, total, expanded FROM stages',
    );
    expect(stages).toEqual([
      { key: 'a', total: 158, expanded: 1 },
      { key: 'b', total: 4, expanded: 1 },
      { key: 'c', total: 1_100, expanded: 1 },
    ]);
    const done = await work(100);
    expect(new Set(done).size).toBe(158 + 4 + 1_100);
    expect(await store.batchState(id)).toBe('succeeded');
  });
});

describe('a list that is half made into tasks', () => {
  /** `scan` writes a list of which the first chunk has become tasks; the others wait. */
  async function scanned(sizes: Record<string, number>, chunks: readonly number[]) {
    const keys = Object.keys(sizes);
    const stages = keys.map((key) =>
      stageBlueprint(key, { group_size: sizes[key] ?? 1, max_attempts: 1, max_failures: 99 }),
    );
    const id = await store.submit(
      batchBlueprint(
        [stageBlueprint('scan'), ...stages],
        [
          ...keys.map((key) => ['scan', key, 'all'] as const),
          ...keys.slice(1).map((key, index) => [keys[index] ?? '', key, 'item'] as const),
        ],
        [
          {
            stages: [1, ...keys.slice(1).map((_, index) => index + 2)],
            source: { kind: 'file', producer: 0, path: 'x', jsonpath: null },
          },
        ],
      ),
    );
    await store.register('a');
    const lease = firstLease((await store.claim('a', 1)).leases);
    await send(lease, chunks);
    return id;
  }

  async function send(lease: LeasedTask, chunks: readonly number[]): Promise<void> {
    const [list] = await store.rows<{ id: number }>('SELECT id FROM lists');
    let offset = 0;
    const sent = chunks.map((length, place) => {
      const items = Array.from({ length }, (_, index) => offset + index);
      offset += length;
      return { offset: offset - length, items, sha256: String(place).padStart(64, '0') };
    });
    const request = { session: store.sessions.get('a') ?? 0, list: list?.id ?? 0, lease: lease.lease };
    await storeListChunks(store.db, { agent: 'a', request: { ...request, chunks: sent } });
    const report = { list: request.list, count: offset, chunks: sent.map((chunk) => chunk.sha256) };
    await store.finish('a', [store.report(lease, 'succeeded', { lists: [report] })]);
  }

  const expandNext = () => expandList(store.db, { list: 1, now: store.now });

  test('a group waits for tasks above it that are not there yet', async () => {
    await scanned({ a: 4, b: 3 }, [5, 4]);
    // Items 0 to 4: a:0 has 0 to 3, b:0 has 0 to 2; b:1 (3 to 5) and a:1 (4 to 7) are still to come.
    expect([await store.taskStates('a'), await store.taskStates('b')]).toEqual([['ready'], ['waiting']]);
    await work(1);
    expect(await store.taskStates('b')).toEqual(['succeeded']);
    await expandNext();
    expect(await store.taskStates('b')).toEqual(['succeeded', 'waiting', 'waiting']);
    await work(9);
    expect(await store.taskStates('b')).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });

  test('a group whose item was lost before it was there is skipped as it is made', async () => {
    await scanned({ a: 1, b: 1, c: 3, d: 1 }, [5, 4]);
    await work(1, (key, ordinal) => (key === 'a' && ordinal === 3 ? 'failed' : 'succeeded'));
    expect(await store.taskStates('c')).toEqual(['succeeded']);
    expect(await store.taskStates('d')).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
      'waiting',
      'waiting',
    ]);
    await expandNext();
    expect(await store.taskStates('c')).toEqual(['succeeded', 'skipped', 'waiting']);
    expect((await store.taskStates('d')).slice(3, 6)).toEqual(['skipped', 'skipped', 'skipped']);
  });

  test('a stage whose tasks are all skipped ends only after those above it', async () => {
    const id = await scanned({ a: 3, b: 6 }, [6]);
    const { leases } = await store.claim('a', 2);
    const [first, second] = leases;
    if (first === undefined || second === undefined) throw new Error('two leases expected');
    await store.finish('a', [store.report(first, 'failed')]);
    expect(await store.taskStates('b')).toEqual(['skipped']);
    const stateOf = async () =>
      (await store.rows<{ state: string }>("SELECT state FROM stages WHERE key = 'b'"))[0];
    expect(await stateOf()).toEqual({ state: 'open' });
    await store.finish('a', [store.report(second)]);
    expect(await stateOf()).toEqual({ state: 'done' });
    expect(await store.batchState(id)).toBe('succeeded');
  });
});

describe('max_failures counts items', () => {
  const lose = async (change: Parameters<typeof stageBlueprint>[1], lost: readonly number[]) => {
    const id = await store.submit(listBatch(10, { group_size: 4, max_attempts: 1, ...change }));
    await store.register('a');
    await work(10, (_, ordinal) => (lost.includes(ordinal) ? 'failed' : 'succeeded'));
    return store.batchState(id);
  };

  test.each([
    ['an abandoned group of four is four', { max_failures: 4 }, [1], 'succeeded'],
    ['and no fewer', { max_failures: 3 }, [1], 'failed'],
    ['the last group counts what it has', { max_failures: 2 }, [2], 'succeeded'],
    ['and no fewer either', { max_failures: 1 }, [2], 'failed'],
    ['whole and last together', { max_failures: 6 }, [0, 2], 'succeeded'],
    ['percent of items', { max_failures_percent: 40 }, [0], 'succeeded'],
    ['percent of items, one too many', { max_failures_percent: 39 }, [0], 'failed'],
    ['percent, of the last group', { max_failures_percent: 20 }, [2], 'succeeded'],
  ])('%s', async (_, change, lost, expected) => {
    expect(await lose(change, lost)).toBe(expected);
  });
});

test('an id that an earlier item has gets the next free number', async () => {
  const items = ['x', 'y', 'x', 'x_2', 'x', 'a/b'].map((id) => ({ id }));
  const id = await store.submit(
    batchBlueprint([stageBlueprint('each')], [], [{ stages: [0], source: { kind: 'inline', items } }]),
  );
  const page = await listTasks(store.db, { batch_id: id, state: null, stage: null, limit: 10, after: null });
  expect(page?.items.map((task) => task.name)).toEqual([
    'each_x',
    'each_y',
    'each_x_2',
    'each_x_2_2',
    'each_x_3',
    expect.stringMatching(/^each_a_b_[0-9a-f]{8}$/),
  ]);
  await store.register('a');
  const { leases } = await store.claim('a', 10);
  expect(leases.map((lease) => lease.name)).toEqual(page?.items.map((task) => task.name));
  const decisions = "SELECT count, message, details FROM decisions WHERE type = 'DUPLICATE_ITEM_ID'";
  expect(await store.rows(decisions)).toEqual([
    {
      count: 3,
      message:
        'A list in the plan has 3 items with the id of an earlier one, the first at place 3: their names end in a number of their own.',
      details: '{"first":2}',
    },
  ]);
});

test('100,000 items in groups of 50 and 80 are made, claimed and ended, each once', async () => {
  const id = await store.submit(chain(100_000, { a: 50, b: 80 }));
  await store.register('a');
  for (let ticks = 0; ticks < 20; ticks++) await store.tick();
  const done = await work(64);
  expect(done).toHaveLength(2_000 + 1_250);
  expect(new Set(done).size).toBe(done.length);
  expect(await store.batchState(id)).toBe('succeeded');
}, 120_000);
