import { afterEach, beforeEach, expect, test } from 'vitest';
import { listFiles } from '../../../../control-plane/src/store/queries/list-files.ts';
import { deleteBatch } from '../../../../control-plane/src/store/transitions/delete-batch.ts';
import { storeChildPlans } from '../../../../control-plane/src/store/transitions/store-child-plans.ts';
import { submitBatch } from '../../../../control-plane/src/store/transitions/submit-batch.ts';
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

test('a child that works on files of its parent stays where they are, and both settle together', async () => {
  await store.register('z', { storage: 'one' });
  await store.register('y', { storage: 'two' });
  await store.submit(
    batchBlueprint(
      [childStage('sub', { WHAT: '{BATCH_PATH}/x' }), stageBlueprint('after')],
      [['sub', 'after', 'all']],
    ),
  );
  await family.settle();
  const answer = await store.claim('y', 1);
  expect(answer.stages[0]?.inputs).toMatchObject({
    WHAT: { kind: 'parent_path', parts: [{ plan_folder: '' }, '/x'] },
  });
  expect(
    (await store.rows<{ storage: string }>('SELECT DISTINCT storage FROM stages')).map((row) => row.storage),
  ).toEqual(['two']);
  expect((await store.claim('z', 5)).leases).toEqual([]);
});

/** A batch whose child writes an output of its parent and has just succeeded, which the parent does not know yet. */
async function writeOutput(): Promise<string> {
  const markdown =
    '# Plan: W\n\n## Inputs\n- **OUT**: to (output file)\n\n## Tasks\n### write\n- command: `date > {OUT}`\n- task_class: cpu\n';
  await storeChildPlans(store.db, { plan_digest: DIGEST, folders: new Map([['w', markdown]]) });
  const blueprint = batchBlueprint([childStage('sub', { OUT: '{REPORT}' }, { plan: 'w' })]);
  const inputs = { REPORT: { kind: 'output_file', path: 'report.txt' } } as const;
  const { batch_id } = await submitBatch(store.db, submission(blueprint, { now: store.now, inputs }));
  await store.register('z');
  await family.settle();
  const { leases } = await store.claim('z', 1);
  const files = [{ path: 'output/report.txt', sha256: 'a'.repeat(64), size: 3, mode: 0o644 }];
  await store.finish(
    'z',
    leases.map((lease) => store.report(lease, 'succeeded', { files })),
  );
  return batch_id;
}

test('what a child wrote to an output of its parent becomes a file of the parent', async () => {
  const batch_id = await writeOutput();
  await family.settle();
  expect(await store.batchState(batch_id)).toBe('succeeded');
  expect((await listFiles(store.db, { batch_id, limit: 9, cursor: null }))?.items).toMatchObject([
    { path: 'output/report.txt', size: 3, task: `${batch_id}:sub:0` },
  ]);
});

test('a child that is deleted before its parent is told of its success still hands its files on', async () => {
  const batch_id = await writeOutput();
  const [child] = await family.rows();
  expect(await deleteBatch(store.db, { batch_id: child?.id ?? '', now: store.now })).toEqual({ ok: true });
  await family.settle();
  expect(await store.batchState(batch_id)).toBe('succeeded');
  expect((await listFiles(store.db, { batch_id, limit: 9, cursor: null }))?.items).toMatchObject([
    { path: 'output/report.txt', size: 3, task: `${batch_id}:sub:0` },
  ]);
});
