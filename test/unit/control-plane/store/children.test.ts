import { afterEach, beforeEach, expect, test } from 'vitest';
import { explainTask } from '../../../../control-plane/src/brain/explain/explain-task.ts';
import { readBatch } from '../../../../control-plane/src/store/queries/list-batches.ts';
import { readBatchFacts, readTaskFacts } from '../../../../control-plane/src/store/queries/read-facts.ts';
import { readTask } from '../../../../control-plane/src/store/queries/read-task.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { pauseBatch, resumeBatch } from '../../../../control-plane/src/store/transitions/pause-batch.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { retryTask } from '../../../../control-plane/src/store/transitions/retry-task.ts';
import { signalTask } from '../../../../control-plane/src/store/transitions/signal-task.ts';
import { batchBlueprint, childStage, inlineItems, stageBlueprint } from '../../../support/blueprints.ts';
import { Family } from '../../../support/family.ts';
import type { StoreHarness } from '../../../support/store-harness.ts';

let family: Family;
let store: StoreHarness;
beforeEach(async () => {
  family = await Family.open();
  store = family.store;
});
afterEach(() => store.close());

test('the task succeeds when its child batch has, and what depends on it runs then', async () => {
  const id = await store.submit(
    batchBlueprint(
      [childStage('sub', { WHAT: 'it' }, { priority: 8 }), stageBlueprint('after')],
      [['sub', 'after', 'all']],
    ),
  );
  await store.register('z');
  expect((await store.claim('z', 5)).leases).toEqual([]);
  expect(await family.advance()).toMatchObject({ started: 1 });
  const [child] = await family.rows();
  expect(child).toMatchObject({ state: 'active', priority: 8, depth: 1, parent_attempt: 1 });
  expect(JSON.parse(child?.inputs ?? '')).toEqual({ WHAT: { kind: 'value', value: 'it' } });
  const answer = await store.claim('z', 5);
  expect(answer.stages[0]).toMatchObject({ plan_folder: 'child', plan_name: 'Child', batch_id: child?.id });
  await store.finish(
    'z',
    answer.leases.map((lease) => store.report(lease)),
  );
  await family.work();
  expect(await store.taskStates('after')).toEqual(['ready']);
  await family.settle();
  expect(await store.taskStates('sub')).toEqual(['succeeded']);
  await family.work();
  expect(await store.batchState(id)).toBe('succeeded');
  const task = await readTask(store.db, { batch_id: id, stage_key: 'sub', ordinal: 0 });
  expect(task).toMatchObject({ child_batch: child?.id, attempts: 1 });
  expect(task?.history).toMatchObject([{ outcome: 'succeeded', agent: '(brain)', attempt: 1 }]);
  expect((await readBatch(store.db, child?.id ?? ''))?.parent).toBe(`${id}:sub:0`);
  await family.expectSound();
});

test('two brains at once start one child for each task, and pass an end on once', async () => {
  const id = await store.submit(
    batchBlueprint(
      [childStage('each', { WHAT: '{ITEM.id}' })],
      [],
      [{ stages: [0], source: inlineItems(200) }],
    ),
  );
  await store.register('z');
  for (let round = 0; round < 12; round++)
    await Promise.all([family.advance(), family.advance(), family.advance()]);
  const children = await family.rows();
  expect(children).toHaveLength(200);
  expect(new Set(children.map((child) => child.id)).size).toBe(200);
  expect(JSON.parse(children[7]?.inputs ?? '')).toEqual({ WHAT: { kind: 'value', value: 'i7' } });
  await family.expectSound();
  await family.work();
  await Promise.all([family.advance(), family.advance()]);
  await family.settle();
  expect(await store.batchState(id)).toBe('succeeded');
  const [attempts] = await store.rows<{ n: number }>('SELECT count(*) AS n FROM attempts WHERE agent_id = 0');
  expect(attempts?.n).toBe(200);
  expect(await store.rows('SELECT * FROM child_ends')).toEqual([]);
  await family.expectSound();
});

test('a child that fails is re-opened for the next try, and keeps what has succeeded', async () => {
  const { id, child } = await family.startOne();
  await family.work({ second: 'failed' });
  await store.pass(700_000);
  await family.work({ second: 'failed' });
  await store.pass(700_000);
  await family.work({ second: 'failed' });
  await family.settle();
  expect(await store.batchState(child.id)).toBe('failed');
  expect(await store.taskStates('sub')).toEqual(['backoff']);
  const [attempt] = (await family.detail(id))?.history ?? [];
  expect(attempt).toMatchObject({ outcome: 'failed', error_type: 'child' });
  expect(attempt?.message).toBe(`The child batch ${child.id} failed: ${child.id}:second:0`);
  await store.pass(10_000);
  expect(await family.rows()).toMatchObject([{ id: child.id, state: 'active', parent_attempt: 2 }]);
  expect(await store.taskStates('first')).toEqual(['succeeded']);
  expect(await store.taskStates('second')).toEqual(['ready']);
  await family.work();
  await family.settle();
  expect(await store.batchState(id)).toBe('succeeded');
  expect((await family.detail(id))?.history.map((each) => each.outcome)).toEqual(['failed', 'succeeded']);
  await family.expectSound();
});

test("a task whose tries are used up is given up, and an operator's retry goes on with its child", async () => {
  const { id, child } = await family.startOne({}, { max_attempts: 1 });
  await family.work({ first: 'failed' });
  await family.settle();
  expect(await store.batchState(id)).toBe('failed');
  expect(await store.taskStates('sub')).toEqual(['abandoned']);
  expect(
    await retryTask(store.db, { batch_id: id, stage_key: 'sub', ordinal: 0, by: 'ann', now: store.now }),
  ).toMatchObject({ ok: true });
  await family.settle();
  expect(await family.rows()).toMatchObject([{ id: child.id, state: 'active', parent_attempt: 2 }]);
  await family.work();
  await family.settle();
  expect(await store.batchState(id)).toBe('succeeded');
  await family.expectSound();
});

test('a child that was retried by itself and succeeded is what the next try of its task comes to', async () => {
  const { id, child } = await family.startOne({}, { max_attempts: 1 });
  await family.work({ first: 'failed' });
  await family.settle();
  await retryBatch(store.db, { batch_id: child.id, by: 'ann', now: store.now });
  await family.work();
  await family.settle();
  expect([await store.batchState(child.id), await store.batchState(id)]).toEqual(['succeeded', 'failed']);
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await family.settle();
  expect(await store.batchState(id)).toBe('succeeded');
  expect(await family.rows()).toHaveLength(1);
  await family.expectSound();
});

test('a child that is cancelled by itself fails its task for good, and a retry begins another one', async () => {
  const { id, child } = await family.startOne();
  await cancelBatch(store.db, { batch_id: child.id, now: store.now });
  await family.settle();
  expect(await store.taskStates('sub')).toEqual(['abandoned']);
  expect((await family.detail(id))?.history[0]?.message).toBe(`The child batch ${child.id} was cancelled.`);
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await family.settle();
  const children = await family.rows();
  expect(children).toMatchObject([
    { state: 'cancelled', parent_attempt: 1 },
    { state: 'active', parent_attempt: 2 },
  ]);
  expect((await family.detail(id))?.child_batch).toBe(children[1]?.id);
  await family.expectSound();
});

test('cancel of a batch cancels what is below it, at any depth, and ends after its processes', async () => {
  const { id } = await family.startOne({}, { plan: 'nested' });
  expect((await family.rows()).map((child) => child.depth)).toEqual([1, 2]);
  const { leases } = await store.claim('z', 5);
  expect(leases).toHaveLength(1);
  await cancelBatch(store.db, { batch_id: id, now: store.now });
  await family.settle();
  expect((await family.rows()).map((child) => child.state)).toEqual(['cancelling', 'cancelling']);
  expect(await store.batchState(id)).toBe('cancelling');
  await store.finish(
    'z',
    leases.map((lease) => store.report(lease, 'stopped')),
  );
  await family.settle();
  expect((await family.rows()).map((child) => child.state)).toEqual(['cancelled', 'cancelled']);
  expect(await store.batchState(id)).toBe('cancelled');
  await family.expectSound();
});

test('a paused batch pauses what is below it; one that was paused by itself stays so', async () => {
  const source = inlineItems(3);
  const id = await store.submit(batchBlueprint([childStage('sub')], [], [{ stages: [0], source }]));
  await store.register('z');
  await family.settle();
  const [first] = await family.rows();
  const asked = { by: 'ann', now: store.now };
  await pauseBatch(store.db, { ...asked, batch_id: first?.id ?? '' });
  await pauseBatch(store.db, { ...asked, batch_id: id });
  await family.settle();
  expect((await family.rows()).map((child) => child.state)).toEqual(['paused', 'paused', 'paused']);
  expect((await store.claim('z', 9)).leases).toEqual([]);
  await resumeBatch(store.db, { ...asked, batch_id: id });
  await family.settle();
  expect((await family.rows()).map((child) => child.state)).toEqual(['paused', 'active', 'active']);
  expect((await store.claim('z', 9)).leases).toHaveLength(2);
  await family.expectSound();
});

test('a plan within a plan ends from the inside out', async () => {
  const { id } = await family.startOne({}, { plan: './nested/' });
  expect(await store.rows('SELECT plan_folder FROM batches ORDER BY seq')).toEqual([
    { plan_folder: '' },
    { plan_folder: 'nested' },
    { plan_folder: 'nested/deep' },
  ]);
  await family.work();
  await family.settle();
  expect((await family.rows()).map((child) => child.state)).toEqual(['succeeded', 'succeeded']);
  expect(await store.batchState(id)).toBe('succeeded');
});

test('losses of children are weighed like other failures of a list', async () => {
  const id = await store.submit(
    batchBlueprint(
      [
        childStage('sub', {}, { max_failures: 1, max_attempts: 1 }),
        childStage('then', {}),
        stageBlueprint('end'),
      ],
      [
        ['sub', 'then', 'item'],
        ['then', 'end', 'all'],
      ],
      [{ stages: [0, 1], source: inlineItems(3) }],
    ),
  );
  await store.register('z');
  await family.settle();
  const { leases } = await store.claim('z', 9);
  expect(leases).toHaveLength(3);
  await store.finish(
    'z',
    leases.map((lease, n) => store.report(lease, n === 1 ? 'failed' : 'succeeded')),
  );
  await family.work();
  await family.settle();
  expect(await store.taskStates('sub')).toEqual(['succeeded', 'abandoned', 'succeeded']);
  expect(await store.taskStates('then')).toEqual(['leased', 'skipped', 'leased']);
  await family.work();
  await family.settle();
  await family.work();
  expect(await store.batchState(id)).toBe('succeeded');
  await family.expectSound();
});

test('a task whose child runs is explained by its child', async () => {
  const { id, child } = await family.startOne();
  const address = { batch_id: id, stage_key: 'sub', ordinal: 0 };
  const facts = await readBatchFacts(store.db, { batch_id: id, now: store.now });
  const stage = facts?.stages[0];
  if (facts === null || stage === undefined) throw new Error('There is no such batch.');
  expect(facts.agents.map((agent) => agent.name)).toEqual(['z']);
  const { reasons } = explainTask(address, facts, stage, await readTaskFacts(store.db, address));
  expect(reasons).toMatchObject([{ code: 'running' }]);
  expect(reasons[0]?.message).toContain(`the child batch ${child.id}, which is active`);
});

test('abort of a task cancels its child, and counts as one failed try', async () => {
  const { id } = await family.startOne();
  await signalTask(store.db, {
    batch_id: id,
    stage_key: 'sub',
    ordinal: 0,
    kind: 'abort',
    by: 'ann',
    now: store.now,
  });
  await family.settle();
  expect((await family.rows()).map((child) => child.state)).toEqual(['cancelled']);
  expect(await store.taskStates('sub')).toEqual(['backoff']);
  await store.pass(10_000);
  expect((await family.rows()).map((child) => child.state)).toEqual(['cancelled', 'active']);
  await family.expectSound();
});

test('a child that ended while its parent was paused is not resumed with a parent later on', async () => {
  const { id, child } = await family.startOne({}, { max_attempts: 1 });
  const { leases } = await store.claim('z', 5);
  const asked = { by: 'ann', now: store.now };
  await pauseBatch(store.db, { ...asked, batch_id: id });
  await family.settle();
  await store.finish(
    'z',
    leases.map((lease) => store.report(lease, 'failed')),
  );
  expect(await store.batchState(child.id)).toBe('failed');
  await family.settle();
  await retryBatch(store.db, { ...asked, batch_id: id });
  await family.settle();
  expect(await family.rows()).toMatchObject([{ id: child.id, state: 'active' }]);
  await pauseBatch(store.db, { ...asked, batch_id: child.id });
  await family.settle();
  await store.pass(20_000);
  expect(await store.batchState(child.id)).toBe('paused');
});
