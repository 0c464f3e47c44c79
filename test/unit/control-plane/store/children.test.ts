import { afterEach, beforeEach, expect, test } from 'vitest';
import { advanceChildren } from '../../../../control-plane/src/brain/advance-children.ts';
import { readBatch } from '../../../../control-plane/src/store/queries/list-batches.ts';
import { readTask } from '../../../../control-plane/src/store/queries/read-task.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
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
