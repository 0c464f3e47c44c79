import { afterEach, beforeEach, expect, test } from 'vitest';
import { advanceChildren } from '../../../../control-plane/src/brain/advance-children.ts';
import { explainTask } from '../../../../control-plane/src/brain/explain/explain-task.ts';
import { readBatch } from '../../../../control-plane/src/store/queries/list-batches.ts';
import { listFiles } from '../../../../control-plane/src/store/queries/list-files.ts';
import { readBatchFacts, readTaskFacts } from '../../../../control-plane/src/store/queries/read-facts.ts';
import { readTask } from '../../../../control-plane/src/store/queries/read-task.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { deleteBatch } from '../../../../control-plane/src/store/transitions/delete-batch.ts';
import { refuseChild, startChild } from '../../../../control-plane/src/store/transitions/hold-children.ts';
import { pauseBatch, resumeBatch } from '../../../../control-plane/src/store/transitions/pause-batch.ts';
import { promoteRetries } from '../../../../control-plane/src/store/transitions/promote-retries.ts';
import { registerPlan } from '../../../../control-plane/src/store/transitions/register-plan.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { retryTask } from '../../../../control-plane/src/store/transitions/retry-task.ts';
import { signalTask } from '../../../../control-plane/src/store/transitions/signal-task.ts';
import { storeChildPlans } from '../../../../control-plane/src/store/transitions/store-child-plans.ts';
import { submitBatch } from '../../../../control-plane/src/store/transitions/submit-batch.ts';
import {
  batchBlueprint,
  childStage,
  inlineItems,
  stageBlueprint,
  submission,
} from '../../../support/blueprints.ts';
import { StoreHarness } from '../../../support/store-harness.ts';

let store: StoreHarness;
const DIGEST = '0'.repeat(64);

const CHILD = `# Plan: Child

## Inputs
- **WHAT**: what to do (default: nothing)

## Tasks
### first
- **task_class**: cpu
- **command**: \`echo {WHAT}\`
- **max_attempts**: 1

### second
- **task_class**: cpu
- **command**: \`echo second\`
- **depends_on**: first
`;
const NESTED = `# Plan: Nested

## Tasks
### inner
- **type**: execute_plan
- **plan**: deep
`;

beforeEach(async () => {
  store = await StoreHarness.open();
  await storeChildPlans(store.db, {
    plan_digest: DIGEST,
    folders: new Map([
      ['child', CHILD],
      ['nested', NESTED],
      ['nested/deep', CHILD],
    ]),
  });
});
afterEach(() => store.close());

const advance = (chunks = 100) => {
  let left = chunks;
  return advanceChildren({ db: store.db, clock: { now: () => store.now } }, () => left-- > 0);
};

/** Until there is nothing to do, as the brain's kick does it. */
async function settleChildren(): Promise<void> {
  for (;;) {
    const { started, ended, cancelled } = await advance();
    if (started + ended + cancelled === 0) return;
  }
}

interface BatchRow {
  id: string;
  state: string;
  parent_attempt: number;
  priority: number;
  depth: number;
  inputs: string;
}
const childrenOf = () =>
  store.rows<BatchRow>(
    'SELECT * FROM batches WHERE parent_stage IS NOT NULL ORDER BY parent_stage, parent_ordinal, parent_attempt',
  );

/** An agent that runs whatever it can get, with one outcome for each stage. */
async function work(outcomes: Record<string, 'succeeded' | 'failed'> = {}): Promise<void> {
  for (;;) {
    const answer = await store.claim('z', 500);
    if (answer.leases.length === 0) return;
    const keys = store.keys(answer);
    await store.finish(
      'z',
      answer.leases.map((lease, n) => store.report(lease, outcomes[keys[n] ?? ''] ?? 'succeeded')),
    );
  }
}

/** Every counter of a stage is the number of its rows in that state, and what the brain holds has a child. */
async function expectSound(): Promise<void> {
  const wrong = await store.rows(
    `SELECT s.key FROM stages s WHERE s.total <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id)
      OR s.leased <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = 'leased')
      OR s.ready <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = 'ready')
      OR s.succeeded <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = 'succeeded')`,
  );
  expect(wrong).toEqual([]);
  const childless = await store.rows(
    `SELECT * FROM tasks t WHERE t.agent_id = 0 AND t.state = 'leased' AND NOT EXISTS (SELECT 1 FROM batches c
      WHERE c.parent_stage = t.stage_id AND c.parent_ordinal = t.ordinal AND c.parent_attempt = t.attempt)`,
  );
  expect(childless).toEqual([]);
}

test('the task succeeds when its child batch has, and what depends on it runs then', async () => {
  const id = await store.submit(
    batchBlueprint(
      [childStage('sub', { WHAT: 'it' }, { priority: 8 }), stageBlueprint('after')],
      [['sub', 'after', 'all']],
    ),
  );
  await store.register('z');
  expect((await store.claim('z', 5)).leases).toEqual([]);
  expect(await advance()).toMatchObject({ started: 1 });
  const [child] = await childrenOf();
  expect(child).toMatchObject({ state: 'active', priority: 8, depth: 1, parent_attempt: 1 });
  expect(JSON.parse(child?.inputs ?? '')).toEqual({ WHAT: { kind: 'value', value: 'it' } });
  const answer = await store.claim('z', 5);
  expect(answer.stages[0]).toMatchObject({ plan_folder: 'child', plan_name: 'Child', batch_id: child?.id });
  await store.finish(
    'z',
    answer.leases.map((lease) => store.report(lease)),
  );
  await work();
  expect(await store.taskStates('after')).toEqual(['ready']);
  await settleChildren();
  expect(await store.taskStates('sub')).toEqual(['succeeded']);
  await work();
  expect(await store.batchState(id)).toBe('succeeded');
  const task = await readTask(store.db, { batch_id: id, stage_key: 'sub', ordinal: 0 });
  expect(task).toMatchObject({ child_batch: child?.id, attempts: 1 });
  expect(task?.history).toMatchObject([{ outcome: 'succeeded', agent: '(brain)', attempt: 1 }]);
  expect((await readBatch(store.db, child?.id ?? ''))?.parent).toBe(`${id}:sub:0`);
  await expectSound();
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
  for (let round = 0; round < 12; round++) await Promise.all([advance(), advance(), advance()]);
  const children = await childrenOf();
  expect(children).toHaveLength(200);
  expect(new Set(children.map((child) => child.id)).size).toBe(200);
  expect(JSON.parse(children[7]?.inputs ?? '')).toEqual({ WHAT: { kind: 'value', value: 'i7' } });
  await expectSound();
  await work();
  await Promise.all([advance(), advance()]);
  await settleChildren();
  expect(await store.batchState(id)).toBe('succeeded');
  const [attempts] = await store.rows<{ n: number }>('SELECT count(*) AS n FROM attempts WHERE agent_id = 0');
  expect(attempts?.n).toBe(200);
  expect(await store.rows('SELECT * FROM child_ends')).toEqual([]);
  await expectSound();
});

/** Starts a batch of one execute_plan task, its child and an agent. */
async function startOne(config: Record<string, unknown> = {}, change: Parameters<typeof childStage>[2] = {}) {
  const id = await store.submit(batchBlueprint([childStage('sub', config, change)]));
  await store.register('z');
  await settleChildren();
  const child = (await childrenOf()).at(-1);
  if (child === undefined) throw new Error('No child was started.');
  return { id, child };
}
const detail = (id: string) => readTask(store.db, { batch_id: id, stage_key: 'sub', ordinal: 0 });

test('a child that fails is re-opened for the next try, and keeps what has succeeded', async () => {
  const { id, child } = await startOne();
  await work({ second: 'failed' });
  await store.pass(700_000);
  await work({ second: 'failed' });
  await store.pass(700_000);
  await work({ second: 'failed' });
  await settleChildren();
  expect(await store.batchState(child.id)).toBe('failed');
  expect(await store.taskStates('sub')).toEqual(['backoff']);
  const [attempt] = (await detail(id))?.history ?? [];
  expect(attempt).toMatchObject({ outcome: 'failed', error_type: 'child' });
  expect(attempt?.message).toBe(`The child batch ${child.id} failed: ${child.id}:second:0`);
  await store.pass(10_000);
  expect(await childrenOf()).toMatchObject([{ id: child.id, state: 'active', parent_attempt: 2 }]);
  expect(await store.taskStates('first')).toEqual(['succeeded']);
  expect(await store.taskStates('second')).toEqual(['ready']);
  await work();
  await settleChildren();
  expect(await store.batchState(id)).toBe('succeeded');
  expect((await detail(id))?.history.map((each) => each.outcome)).toEqual(['failed', 'succeeded']);
  await expectSound();
});

test("a task whose tries are used up is given up, and an operator's retry goes on with its child", async () => {
  const { id, child } = await startOne({}, { max_attempts: 1 });
  await work({ first: 'failed' });
  await settleChildren();
  expect(await store.batchState(id)).toBe('failed');
  expect(await store.taskStates('sub')).toEqual(['abandoned']);
  expect(
    await retryTask(store.db, { batch_id: id, stage_key: 'sub', ordinal: 0, by: 'ann', now: store.now }),
  ).toMatchObject({ ok: true });
  await settleChildren();
  expect(await childrenOf()).toMatchObject([{ id: child.id, state: 'active', parent_attempt: 2 }]);
  await work();
  await settleChildren();
  expect(await store.batchState(id)).toBe('succeeded');
  await expectSound();
});

test('a child that was retried by itself and succeeded is what the next try of its task comes to', async () => {
  const { id, child } = await startOne({}, { max_attempts: 1 });
  await work({ first: 'failed' });
  await settleChildren();
  await retryBatch(store.db, { batch_id: child.id, by: 'ann', now: store.now });
  await work();
  await settleChildren();
  expect([await store.batchState(child.id), await store.batchState(id)]).toEqual(['succeeded', 'failed']);
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await settleChildren();
  expect(await store.batchState(id)).toBe('succeeded');
  expect(await childrenOf()).toHaveLength(1);
  await expectSound();
});

test('a child that is cancelled by itself fails its task for good, and a retry begins another one', async () => {
  const { id, child } = await startOne();
  await cancelBatch(store.db, { batch_id: child.id, now: store.now });
  await settleChildren();
  expect(await store.taskStates('sub')).toEqual(['abandoned']);
  expect((await detail(id))?.history[0]?.message).toBe(`The child batch ${child.id} was cancelled.`);
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await settleChildren();
  const children = await childrenOf();
  expect(children).toMatchObject([
    { state: 'cancelled', parent_attempt: 1 },
    { state: 'active', parent_attempt: 2 },
  ]);
  expect((await detail(id))?.child_batch).toBe(children[1]?.id);
  await expectSound();
});

test('cancel of a batch cancels what is below it, at any depth, and ends after its processes', async () => {
  const { id } = await startOne({}, { plan: 'nested' });
  expect((await childrenOf()).map((child) => child.depth)).toEqual([1, 2]);
  const { leases } = await store.claim('z', 5);
  expect(leases).toHaveLength(1);
  await cancelBatch(store.db, { batch_id: id, now: store.now });
  await settleChildren();
  expect((await childrenOf()).map((child) => child.state)).toEqual(['cancelling', 'cancelling']);
  expect(await store.batchState(id)).toBe('cancelling');
  await store.finish(
    'z',
    leases.map((lease) => store.report(lease, 'stopped')),
  );
  await settleChildren();
  expect((await childrenOf()).map((child) => child.state)).toEqual(['cancelled', 'cancelled']);
  expect(await store.batchState(id)).toBe('cancelled');
  await expectSound();
});

test('a paused batch pauses what is below it; one that was paused by itself stays so', async () => {
  const source = inlineItems(3);
  const id = await store.submit(batchBlueprint([childStage('sub')], [], [{ stages: [0], source }]));
  await store.register('z');
  await settleChildren();
  const [first] = await childrenOf();
  const asked = { by: 'ann', now: store.now };
  await pauseBatch(store.db, { ...asked, batch_id: first?.id ?? '' });
  await pauseBatch(store.db, { ...asked, batch_id: id });
  await settleChildren();
  expect((await childrenOf()).map((child) => child.state)).toEqual(['paused', 'paused', 'paused']);
  expect((await store.claim('z', 9)).leases).toEqual([]);
  await resumeBatch(store.db, { ...asked, batch_id: id });
  await settleChildren();
  expect((await childrenOf()).map((child) => child.state)).toEqual(['paused', 'active', 'active']);
  expect((await store.claim('z', 9)).leases).toHaveLength(2);
  await expectSound();
});

test('a plan within a plan ends from the inside out', async () => {
  const { id } = await startOne({}, { plan: './nested/' });
  expect(await store.rows('SELECT plan_folder FROM batches ORDER BY seq')).toEqual([
    { plan_folder: '' },
    { plan_folder: 'nested' },
    { plan_folder: 'nested/deep' },
  ]);
  await work();
  await settleChildren();
  expect((await childrenOf()).map((child) => child.state)).toEqual(['succeeded', 'succeeded']);
  expect(await store.batchState(id)).toBe('succeeded');
});

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
  await settleChildren();
  const children = await childrenOf();
  expect(children.map((child) => child.depth)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(children.map((child) => child.state)).toEqual(Array(8).fill('failed'));
  expect(await store.batchState(id)).toBe('failed');
  const last = await readTask(store.db, { batch_id: children[7]?.id ?? '', stage_key: 'again', ordinal: 0 });
  expect(last?.history[0]).toMatchObject({ error_type: 'definition' });
  expect(last?.history[0]?.message).toMatch(/8 levels below.*execute itself/);
  await expectSound();
});

test('a task that no child can be started for fails at once, and says why', async () => {
  const refused = async (stage: ReturnType<typeof childStage>) => {
    const id = await store.submit(batchBlueprint([stage]));
    await settleChildren();
    expect(await store.taskStates('sub')).toContain('abandoned');
    return (await detail(id))?.history[0]?.message;
  };
  expect(await refused(childStage('sub', {}, { plan: 'gone' }))).toMatch(
    /no gone\/plan.md, and no plan is registered/,
  );
  expect(await refused(childStage('sub', { WAHT: 1 }))).toMatch(/no input WAHT/);
  expect(await refused(childStage('sub', { WHAT: '{ITEM.x}' }))).toMatch(/needs an item/);
  expect(await childrenOf()).toEqual([]);
  await expectSound();
});

test('a child that is deleted while its task waits for it fails the task', async () => {
  const { id, child } = await startOne();
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
  await settleChildren();
  expect(await store.taskStates('sub')).toEqual(['abandoned']);
  expect((await detail(id))?.history[0]?.message).toBe(
    `The child batch ${child.id} was deleted before it ended.`,
  );
  expect((await detail(id))?.child_batch).toBeNull();
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await settleChildren();
  expect(await childrenOf()).toHaveLength(1);
});

test('a crash between the steps leaves nothing undone that the next tick does not do', async () => {
  const { id, child } = await startOne({}, { max_attempts: 2 });
  await work({ first: 'failed' });
  // The end is passed on, and the child re-opened; then the process dies before the task is taken again.
  await advance();
  store.now += 5_000;
  await promoteRetries(store.db, { now: store.now });
  await retryBatch(store.db, { batch_id: child.id, by: 'x', now: store.now });
  await work();
  expect(await store.batchState(child.id)).toBe('succeeded');
  await store.tick();
  await store.tick();
  expect(await store.batchState(id)).toBe('succeeded');
  expect(await childrenOf()).toHaveLength(1);
  await expectSound();
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
  await settleChildren();
  const { leases } = await store.claim('z', 9);
  expect(leases).toHaveLength(3);
  await store.finish(
    'z',
    leases.map((lease, n) => store.report(lease, n === 1 ? 'failed' : 'succeeded')),
  );
  await work();
  await settleChildren();
  expect(await store.taskStates('sub')).toEqual(['succeeded', 'abandoned', 'succeeded']);
  expect(await store.taskStates('then')).toEqual(['leased', 'skipped', 'leased']);
  await work();
  await settleChildren();
  await work();
  expect(await store.batchState(id)).toBe('succeeded');
  await expectSound();
});

test('a child that works on files of its parent stays where they are, and both settle together', async () => {
  await store.register('z', { storage: 'one' });
  await store.register('y', { storage: 'two' });
  await store.submit(
    batchBlueprint(
      [childStage('sub', { WHAT: '{BATCH_PATH}/x' }), stageBlueprint('after')],
      [['sub', 'after', 'all']],
    ),
  );
  await settleChildren();
  const answer = await store.claim('y', 1);
  expect(answer.stages[0]?.inputs).toMatchObject({
    WHAT: { kind: 'parent_path', parts: [{ plan_folder: '' }, '/x'] },
  });
  expect(
    (await store.rows<{ storage: string }>('SELECT DISTINCT storage FROM stages')).map((row) => row.storage),
  ).toEqual(['two']);
  expect((await store.claim('z', 5)).leases).toEqual([]);
});

test('what a child wrote to an output of its parent becomes a file of the parent', async () => {
  const markdown =
    '# Plan: W\n\n## Inputs\n- **OUT**: to (output file)\n\n## Tasks\n### write\n- command: `date > {OUT}`\n- task_class: cpu\n';
  await storeChildPlans(store.db, { plan_digest: DIGEST, folders: new Map([['w', markdown]]) });
  const blueprint = batchBlueprint([childStage('sub', { OUT: '{REPORT}' }, { plan: 'w' })]);
  const inputs = { REPORT: { kind: 'output_file', path: 'report.txt' } } as const;
  const { batch_id } = await submitBatch(store.db, submission(blueprint, { now: store.now, inputs }));
  await store.register('z');
  await settleChildren();
  const { leases } = await store.claim('z', 1);
  const files = [{ path: 'output/report.txt', sha256: 'a'.repeat(64), size: 3, mode: 0o644 }];
  await store.finish(
    'z',
    leases.map((lease) => store.report(lease, 'succeeded', { files })),
  );
  await settleChildren();
  expect(await store.batchState(batch_id)).toBe('succeeded');
  expect((await listFiles(store.db, { batch_id, limit: 9, cursor: null }))?.items).toMatchObject([
    { path: 'output/report.txt', size: 3, task: `${batch_id}:sub:0` },
  ]);
});

test('a refusal ends no try for which another brain has started a child', async () => {
  const { child } = await startOne();
  const [parent] = await store.rows<{ stage: number }>(
    'SELECT parent_stage AS stage FROM batches WHERE depth = 1',
  );
  const task = { stage: parent?.stage ?? 0, ordinal: 0, attempt: 1, now: store.now };
  await refuseChild(store.db, { ...task, message: 'The plan was not there a moment ago.' });
  expect(await store.taskStates('sub')).toEqual(['leased']);
  expect(await childrenOf()).toMatchObject([{ id: child.id, state: 'active' }]);
});

test('no second child is started beside one that lives, even for a later try', async () => {
  const { id } = await startOne();
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
  await settleChildren();
  expect(await childrenOf()).toMatchObject([{ parent_attempt: 2 }]);
  await work();
  await settleChildren();
  expect(await store.batchState(id)).toBe('succeeded');
});

test('a task whose child runs is explained by its child', async () => {
  const { id, child } = await startOne();
  const address = { batch_id: id, stage_key: 'sub', ordinal: 0 };
  const facts = await readBatchFacts(store.db, { batch_id: id, now: store.now });
  const stage = facts?.stages[0];
  if (facts === null || stage === undefined) throw new Error('There is no such batch.');
  expect(facts.agents.map((agent) => agent.name)).toEqual(['z']);
  const { reasons } = explainTask(address, facts, stage, await readTaskFacts(store.db, address));
  expect(reasons).toMatchObject([{ code: 'running' }]);
  expect(reasons[0]?.message).toContain(`the child batch ${child.id}, which is active`);
});

test('a child that was deleted after its end is not looked for, and a retry of its task begins another one', async () => {
  const { id, child } = await startOne({}, { max_attempts: 1 });
  await work({ first: 'failed' });
  await settleChildren();
  expect(await deleteBatch(store.db, { batch_id: child.id, now: store.now })).toEqual({ ok: true });
  expect((await detail(id))?.child_batch).toBeNull();
  await retryBatch(store.db, { batch_id: id, by: 'ann', now: store.now });
  await store.pass(30_000);
  expect(await childrenOf()).toMatchObject([{ state: 'active', parent_attempt: 2 }]);
  await work();
  await settleChildren();
  expect(await store.batchState(id)).toBe('succeeded');
  await expectSound();
});

test('abort of a task cancels its child, and counts as one failed try', async () => {
  const { id } = await startOne();
  await signalTask(store.db, {
    batch_id: id,
    stage_key: 'sub',
    ordinal: 0,
    kind: 'abort',
    by: 'ann',
    now: store.now,
  });
  await settleChildren();
  expect((await childrenOf()).map((child) => child.state)).toEqual(['cancelled']);
  expect(await store.taskStates('sub')).toEqual(['backoff']);
  await store.pass(10_000);
  expect((await childrenOf()).map((child) => child.state)).toEqual(['cancelled', 'active']);
  await expectSound();
});

test('a child that ended while its parent was paused is not resumed with a parent later on', async () => {
  const { id, child } = await startOne({}, { max_attempts: 1 });
  const { leases } = await store.claim('z', 5);
  const asked = { by: 'ann', now: store.now };
  await pauseBatch(store.db, { ...asked, batch_id: id });
  await settleChildren();
  await store.finish(
    'z',
    leases.map((lease) => store.report(lease, 'failed')),
  );
  expect(await store.batchState(child.id)).toBe('failed');
  await settleChildren();
  await retryBatch(store.db, { ...asked, batch_id: id });
  await settleChildren();
  expect(await childrenOf()).toMatchObject([{ id: child.id, state: 'active' }]);
  await pauseBatch(store.db, { ...asked, batch_id: child.id });
  await settleChildren();
  await store.pass(20_000);
  expect(await store.batchState(child.id)).toBe('paused');
});

test('a child that is deleted before its parent is told of its success still hands its files on', async () => {
  const markdown =
    '# Plan: W\n\n## Inputs\n- **OUT**: to (output file)\n\n## Tasks\n### write\n- command: `date > {OUT}`\n- task_class: cpu\n';
  await storeChildPlans(store.db, { plan_digest: DIGEST, folders: new Map([['w', markdown]]) });
  const blueprint = batchBlueprint([childStage('sub', { OUT: '{REPORT}' }, { plan: 'w' })]);
  const inputs = { REPORT: { kind: 'output_file', path: 'report.txt' } } as const;
  const { batch_id } = await submitBatch(store.db, submission(blueprint, { now: store.now, inputs }));
  await store.register('z');
  await settleChildren();
  const { leases } = await store.claim('z', 1);
  const files = [{ path: 'output/report.txt', sha256: 'a'.repeat(64), size: 3, mode: 0o644 }];
  await store.finish(
    'z',
    leases.map((lease) => store.report(lease, 'succeeded', { files })),
  );
  const [child] = await childrenOf();
  expect(await deleteBatch(store.db, { batch_id: child?.id ?? '', now: store.now })).toEqual({ ok: true });
  await settleChildren();
  expect(await store.batchState(batch_id)).toBe('succeeded');
  expect((await listFiles(store.db, { batch_id, limit: 9, cursor: null }))?.items).toMatchObject([
    { path: 'output/report.txt', size: 3, task: `${batch_id}:sub:0` },
  ]);
});
