import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Brain, createBrain } from '../../../../control-plane/src/brain/brain.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { batchBlueprint, stageBlueprint } from '../../../support/blueprints.ts';
import { LEASE_MS, StoreHarness, TICK_MS } from '../../../support/store-harness.ts';

let store: StoreHarness;
let brain: Brain;
let notified: number;
let work: Promise<void>;

beforeEach(async () => {
  store = await StoreHarness.open();
  notified = 0;
  work = Promise.resolve();
  brain = createBrain({
    db: store.db,
    clock: { now: () => store.now },
    settings: { lease_ms: LEASE_MS, tick_ms: TICK_MS },
    wake: { notify: () => (notified += 1) },
    timers: {
      set(run, ms) {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    },
    defer(run) {
      work = run();
    },
    log: (entry) => {
      if (entry.level !== 'info') throw new Error(entry.message);
    },
  });
});
afterEach(() => store.close());

test('a kick expands a long list to its end, and other work has its turns meanwhile', async () => {
  const items = Array.from({ length: 20_000 }, (_, n) => n);
  await store.submit(
    batchBlueprint([stageBlueprint('each')], [], [{ stages: [0], source: { kind: 'inline', items } }]),
  );
  let turns = 0;
  const counting = setInterval(() => {
    turns += 1;
  }, 0);
  brain.kick();
  await work;
  clearInterval(counting);
  expect(await store.taskStates('each')).toHaveLength(20_000);
  expect(turns).toBeGreaterThan(1);
  expect(notified).toBeGreaterThan(1);
});

test('batches that are cancelled while their tasks run are nothing to do for it', async () => {
  await store.register('a');
  const ids: string[] = [];
  for (let n = 0; n < 30; n++) ids.push(await store.submit(batchBlueprint([stageBlueprint('work')])));
  await store.claim('a', 16);
  await store.claim('a', 30);
  for (const batch_id of ids) await cancelBatch(store.db, { batch_id, now: store.now });
  brain.kick();
  await work;
  const report = await brain.tick();
  expect(report).toMatchObject({ busy: false, chunks_swept: 0, chunks_expanded: 0 });
});
