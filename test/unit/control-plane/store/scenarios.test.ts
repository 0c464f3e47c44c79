import type { LeasedTask } from '@planfleet/shared-types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ListBlueprint, StageBlueprint } from '../../../../control-plane/src/blueprint.ts';
import { findPending } from '../../../../control-plane/src/store/queries/find-pending.ts';
import { beginTick } from '../../../../control-plane/src/store/transitions/begin-tick.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { storeListChunks } from '../../../../control-plane/src/store/transitions/store-list-chunks.ts';
import { batchBlueprint, stageBlueprint } from '../../../support/blueprints.ts';
import { LEASE_MS, StoreHarness, TICK_MS } from '../../../support/store-harness.ts';

let store: StoreHarness;
beforeEach(async () => {
  store = await StoreHarness.open();
});
afterEach(() => store.close());

const items = (count: number): ListBlueprint['source'] => ({
  kind: 'inline',
  items: Array.from({ length: count }, (_, n) => ({ id: `i${n}` })),
});
const listBatch = (count: number, change: Partial<StageBlueprint> = {}) =>
  batchBlueprint([stageBlueprint('each', change)], [], [{ stages: [0], source: items(count) }]);
const single = (key: string, change: Partial<StageBlueprint> = {}) =>
  batchBlueprint([stageBlueprint(key, change)]);
const first = (leases: readonly LeasedTask[]): LeasedTask => {
  const [lease] = leases;
  if (lease === undefined) throw new Error('no lease');
  return lease;
};

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
    await store.submit(single('small', { priority: 5 }));
    await store.submit(single('urgent', { priority: 9 }));
    expect(store.keys(await store.claim('b', 1))).toEqual(['urgent']);
    await store.register('c');
    expect(store.keys(await store.claim('c', 1))).toEqual(['small']);
  });

  test('a small batch behind one of 100,000 tasks starts within one claim cycle', async () => {
    await store.submit(listBatch(100_000));
    await store.register('a');
    let held = (await store.claim('a', 16)).leases;
    await store.submit(single('small'));
    const reports = held.map((lease) => store.report(lease));
    const next = await store.finish('a', reports, 16);
    held = next.claim?.leases ?? [];
    expect(store.keys(next.claim)).toContain('small');
  });

  test('labels: a task goes only to an agent that has all of them', async () => {
    await store.submit(single('special', { labels: ['a100', 'big disk'] }));
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

describe('leases', () => {
  test('an agent that falls silent loses its tasks after one lease, and another claim takes them at once', async () => {
    await store.submit(single('work'));
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
    await store.submit(single('work'));
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
    await store.submit(single('work'));
    await store.register('slow');
    const { leases } = await store.claim('slow', 1);
    await store.pass(LEASE_MS + TICK_MS + 1);
    expect((await store.finish('slow', [store.report(first(leases), 'failed')])).results).toEqual([
      'lease_lost',
    ]);
    expect(await store.taskStates('work')).toEqual(['ready']);
  });

  test('after an outage of the control plane nothing expires before agents could be heard again', async () => {
    await store.submit(single('work'));
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
    const id = await store.submit(single('poison'));
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

describe('agents', () => {
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
    await store.submit(single('work'));
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
    await store.submit(single('work', { max_attempts: 5 }));
    await store.register('a');
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 4; attempt++) {
      const { leases } = await store.claim('a', 1);
      await store.finish('a', [store.report(first(leases), 'failed')]);
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
    await store.submit(single('work', { max_attempts: 1 }));
    await store.register('a');
    const { leases } = await store.claim('a', 1);
    await store.finish('a', [store.report(first(leases), 'returned')]);
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
        [{ stages: [0], source: items(10) }],
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
    await store.submit(single('work'));
    await store.register('a');
    const { leases } = await store.claim('a', 1);
    await store.finish('a', [store.report(first(leases), 'succeeded', { tail: 'a\ud800b' })]);
    expect(await store.rows('SELECT tail FROM attempts')).toEqual([{ tail: 'a\ufffdb' }]);
  });

  test('chunks that overlap or leave a gap are not a complete list', async () => {
    await store.submit(scanBatch());
    await store.register('a');
    const { leases } = await store.claim('a', 1);
    const lease = first(leases);
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
    expect(await findPending(store.db)).toEqual({ lists: [], cancelling: [] });
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

describe('the tick', () => {
  test('a step that fails does not keep the others from their work, and is told', async () => {
    await store.submit(single('work'));
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
    await store.submit(single('work'));
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
        [{ stages: [0, 1], source: items(3) }],
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
    for (let n = 0; n < 12; n++) ids.push(await store.submit(single('work')));
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
        keys.map((_, n) => ({ stages: [n] as const, source: items(0) })),
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
    const id = await store.submit(single('work'));
    await store.register('a');
    await store.claim('a', 1);
    await cancelBatch(store.db, { batch_id: id, now: store.now });
    await store.pass(LEASE_MS + TICK_MS + 1);
    expect(await store.batchState(id)).toBe('cancelled');
  });
});
