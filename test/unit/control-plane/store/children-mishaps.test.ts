import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTask } from '../../../../control-plane/src/store/queries/read-task.ts';
import { deleteBatch } from '../../../../control-plane/src/store/transitions/delete-batch.ts';
import { refuseChild, startChild } from '../../../../control-plane/src/store/transitions/hold-children.ts';
import { promoteRetries } from '../../../../control-plane/src/store/transitions/promote-retries.ts';
import { registerPlan } from '../../../../control-plane/src/store/transitions/register-plan.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { batchBlueprint, childStage, stageBlueprint, submission } from '../../../support/blueprints.ts';
import { DIGEST, Family } from '../../../support/family.ts';
import type { StoreHarness } from '../../../support/store-harness.ts';

let family: Family;
let store: StoreHarness;
beforeEach(async () => {
  family = await Family.open();
  store = family.store;
});
afterEach(() => store.close());

test('a plan that executes itself is refused below the eighth batch', async () => {
  const markdown =
    '# Plan: Loop\n\n## Tasks\n### again\n- type: execute_plan\n- plan: loop\n- max_attempts: 1\n';
  await registerPlan(store.db, {
    name: 'loop',
    version: null,
    digest: DIGEST,
    bundle: null,
    markdown,
    files: null,
    registered_by: 'ann',
    now: store.now,
  });
  const id = await store.submit(batchBlueprint([childStage('sub', {}, { plan: 'loop', max_attempts: 1 })]));
  await family.settle();
  const children = await family.rows();
  expect(children.map((child) => child.depth)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(children.map((child) => child.state)).toEqual(Array(8).fill('failed'));
  expect(await store.batchState(id)).toBe('failed');
  const last = await readTask(store.db, { batch_id: children[7]?.id ?? '', stage_key: 'again', ordinal: 0 });
  expect(last?.history[0]).toMatchObject({ error_type: 'definition' });
  expect(last?.history[0]?.message).toMatch(/8 levels below.*execute itself/);
  await family.expectSound();
});

test('a task that no child can be started for fails at once, and says why', async () => {
  const refused = async (stage: ReturnType<typeof childStage>) => {
    const id = await store.submit(batchBlueprint([stage]));
    await family.settle();
    expect(await store.taskStates('sub')).toContain('abandoned');
    return (await family.detail(id))?.history[0]?.message;
  };
  expect(await refused(childStage('sub', {}, { plan: 'gone' }))).toMatch(
    /no gone\/plan.md, and no plan is registered/,
  );
  expect(await refused(childStage('sub', { WAHT: 1 }))).toMatch(/no input WAHT/);
  expect(await refused(childStage('sub', { WHAT: '{ITEM.x}' }))).toMatch(/needs an item/);
  expect(await family.rows()).toEqual([]);
  await family.expectSound();
});

test('a child that is deleted while its task waits for it fails the task', async () => {
  const { id, child } = await family.startOne();
  const remove = (table: string, where: string) => ({
    sql: `DELETE FROM ${table} WHERE ${where}`,
    params: { id: child.id },
  });
  const seq = '(SELECT seq FROM batches WHERE id = :id)';
  await store.db.batch(
    [
      remove('tasks', `stage_id IN (SELECT id FROM stages WHERE batch_seq = ${seq})`),
      remove('stage_edges', `from_stage IN (SELECT id FROM stages WHERE batch_seq = ${seq})`),
      remove('stages', `batch_seq = ${seq}`),
      remove('batches', 'id = :id'),
    ],
    'write',
  );
  await family.settle();
  expect(await store.taskStates('sub')).toEqual(['abandoned']);
  expect((await family.detail(id))?.history[0]?.message).toBe(
    `The child batch ${child.id} was deleted before it ended.`,
  );
  expect((await family.detail(id))?.child_batch).toBeNull();
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await family.settle();
  expect(await family.rows()).toHaveLength(1);
});

test('a crash between the steps leaves nothing undone that the next tick does not do', async () => {
  const { id, child } = await family.startOne({}, { max_attempts: 2 });
  await family.work({ first: 'failed' });
  // The end is passed on, and the child re-opened; then the process dies before the task is taken again.
  await family.advance();
  store.now += 5_000;
  await promoteRetries(store.db, { now: store.now });
  await retryBatch(store.db, { batch_id: child.id, by: 'x', now: store.now });
  await family.work();
  expect(await store.batchState(child.id)).toBe('succeeded');
  await store.tick();
  await store.tick();
  expect(await store.batchState(id)).toBe('succeeded');
  expect(await family.rows()).toHaveLength(1);
  await family.expectSound();
});

test('a refusal ends no try for which another brain has started a child', async () => {
  const { child } = await family.startOne();
  const [parent] = await store.rows<{ stage: number }>(
    'SELECT parent_stage AS stage FROM batches WHERE depth = 1',
  );
  const task = { stage: parent?.stage ?? 0, ordinal: 0, attempt: 1, now: store.now };
  await refuseChild(store.db, { ...task, message: 'The plan was not there a moment ago.' });
  expect(await store.taskStates('sub')).toEqual(['leased']);
  expect(await family.rows()).toMatchObject([{ id: child.id, state: 'active' }]);
});

test('no second child is started beside one that lives, even for a later try', async () => {
  const { id } = await family.startOne();
  const [row] = await store.rows<{ stage: number }>(
    'SELECT parent_stage AS stage FROM batches WHERE depth = 1',
  );
  const stage = row?.stage ?? 0;
  await store.db.batch(
    [
      { sql: "UPDATE tasks SET state = 'ready' WHERE stage_id = :stage", params: { stage } },
      { sql: 'UPDATE stages SET ready = 1, leased = 0 WHERE id = :stage', params: { stage } },
    ],
    'write',
  );
  const parent = { stage, ordinal: 0, attempt: 2, depth: 1, shares_files: false };
  const another = { ...submission(batchBlueprint([stageBlueprint('x')]), { now: store.now }), parent };
  expect(await startChild(store.db, another)).toBe(false);
  expect(await store.taskStates('sub')).toEqual(['ready']);
  await family.settle();
  expect(await family.rows()).toMatchObject([{ parent_attempt: 2 }]);
  await family.work();
  await family.settle();
  expect(await store.batchState(id)).toBe('succeeded');
});

test('a child that was deleted after its end is not looked for, and a retry of its task begins another one', async () => {
  const { id, child } = await family.startOne({}, { max_attempts: 1 });
  await family.work({ first: 'failed' });
  await family.settle();
  expect(await deleteBatch(store.db, { batch_id: child.id, now: store.now })).toEqual({ ok: true });
  expect((await family.detail(id))?.child_batch).toBeNull();
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await store.pass(30_000);
  expect(await family.rows()).toMatchObject([{ state: 'active', parent_attempt: 2 }]);
  await family.work();
  await family.settle();
  expect(await store.batchState(id)).toBe('succeeded');
  await family.expectSound();
});
