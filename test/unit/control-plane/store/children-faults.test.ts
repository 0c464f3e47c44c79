import { expect, test } from 'vitest';
import { advanceChildren } from '../../../../control-plane/src/brain/advance-children.ts';
import { advance } from '../../../../control-plane/src/brain/tick.ts';
import type { Database } from '../../../../control-plane/src/store/database.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { pauseBatch, resumeBatch } from '../../../../control-plane/src/store/transitions/pause-batch.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { storeChildPlans } from '../../../../control-plane/src/store/transitions/store-child-plans.ts';
import { batchBlueprint, childStage, inlineItems, stageBlueprint } from '../../../support/blueprints.ts';
import { randomFrom } from '../../../support/random-from.ts';
import { LEASE_MS, StoreHarness, TICK_MS } from '../../../support/store-harness.ts';

/** FUZZ_SEEDS=250 for a long run. */
const SEEDS = Number(process.env['FUZZ_SEEDS'] ?? 20);
const OPERATIONS = 120;
const CHILD =
  '# Plan: C\n\n## Tasks\n### x\n- task_class: cpu\n- command: `x`\n- max_attempts: 1\n\n### y\n- task_class: cpu\n- command: `y`\n- depends_on: x\n- max_attempts: 2\n';
const NESTED = '# Plan: N\n\n## Tasks\n### in\n- plan: deep\n- max_attempts: 2\n';

/** How often each thing that makes a run worth its while has happened, over all seeds. */
const happened = new Map<string, number>();
const seen = (event: string) => happened.set(event, (happened.get(event) ?? 0) + 1);

class Died extends Error {}

/** Dies before or after a batch, as a process does: what was committed stays, what was to follow does not happen. */
function mortal(db: Database, random: (below: number) => number): Database {
  return {
    ...db,
    close: () => db.close(),
    async batch(statements, mode) {
      const fate = random(16);
      if (fate === 0) throw new Died();
      const results = await db.batch(statements, mode);
      if (fate === 1) throw new Died();
      return results;
    },
  };
}

async function expectSound(store: StoreHarness): Promise<void> {
  const counts = ['waiting', 'ready', 'leased', 'backoff', 'succeeded', 'abandoned', 'skipped', 'cancelled'];
  const wrong = counts.map(
    (state) =>
      `s.${state} <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = '${state}')`,
  );
  expect(await store.rows(`SELECT s.key FROM stages s WHERE ${wrong.join(' OR ')}`)).toEqual([]);
  // What the brain holds has its child, or has the child's end before it.
  const held = "FROM tasks t WHERE t.agent_id = 0 AND t.state = 'leased'";
  const own = 'c.parent_stage = t.stage_id AND c.parent_ordinal = t.ordinal AND c.parent_attempt = t.attempt';
  expect(
    await store.rows(
      `SELECT t.* ${held} AND NOT EXISTS (SELECT 1 FROM batches c WHERE ${own} AND c.finished_at IS NULL)
        AND NOT EXISTS (SELECT 1 FROM child_ends e WHERE e.stage_id = t.stage_id AND e.ordinal = t.ordinal AND e.attempt = t.attempt)`,
    ),
  ).toEqual([]);
  const twins = `SELECT parent_stage FROM batches WHERE parent_stage IS NOT NULL AND finished_at IS NULL
    GROUP BY parent_stage, parent_ordinal HAVING count(*) > 1`;
  expect(await store.rows(twins)).toEqual([]);
}

/** One run: brains that die anywhere, several at once, and operators who cancel, pause and retry. */
async function run(seed: number): Promise<void> {
  const random = randomFrom(seed);
  const store = await StoreHarness.open();
  const plan_digest = '0'.repeat(64);
  const folders = new Map([
    ['child', CHILD],
    ['nested', NESTED],
    ['nested/deep', CHILD],
  ]);
  await storeChildPlans(store.db, { plan_digest, folders });
  await store.register('z');
  const id = await store.submit(
    batchBlueprint(
      [
        childStage('each', {}, { max_attempts: 2, max_failures: 1 }),
        childStage('next', {}, { plan: 'nested', max_attempts: 2 }),
        stageBlueprint('end'),
      ],
      [
        ['each', 'next', 'item'],
        ['next', 'end', 'all'],
      ],
      [{ stages: [0, 1], source: inlineItems(3) }],
    ),
  );
  const clock = { now: () => store.now };
  const brain = async (db: Database, budget: number) => {
    let left = budget;
    const deps = { db, clock, settings: { lease_ms: LEASE_MS, tick_ms: TICK_MS } };
    await advance(deps, () => left-- > 0);
    await advanceChildren(deps, () => left-- > 0);
  };
  const mayDie = (work: Promise<unknown>) =>
    work.catch((error: unknown) => {
      const causes = error instanceof AggregateError ? error.errors : [error];
      if (!causes.every((cause) => cause instanceof Died)) throw error;
      seen('died');
    });
  const work = async (failing: number) => {
    const { leases } = await store.claim('z', 20);
    const ends = leases.map((lease) => store.report(lease, random(10) < failing ? 'failed' : 'succeeded'));
    await store.finish('z', ends);
  };
  const anyBatch = async () => {
    const rows = await store.rows<{ id: string }>('SELECT id FROM batches ORDER BY seq');
    return rows[random(rows.length)]?.id ?? id;
  };
  for (let n = 0; n < OPERATIONS; n++) {
    const db = mortal(store.db, random);
    const what = random(20);
    const asked = async () => ({ batch_id: await anyBatch(), by: 'ann', now: store.now });
    if (what < 6) await mayDie(brain(db, 1 + random(12)));
    else if (what < 8) await Promise.all([1, 2, 3].map(() => mayDie(brain(db, 1 + random(12)))));
    else if (what < 13) await work(4);
    else if (what < 15) await mayDie(store.pass(TICK_MS * (1 + random(3))));
    else if (what === 15) await resumeBatch(store.db, await asked());
    else if (what === 16) await pauseBatch(store.db, await asked());
    else if (what === 17) {
      if ((await retryBatch(store.db, await asked())).ok) seen('retried');
    } else if (what === 18 && random(4) === 0) {
      const of = await asked();
      if (of.batch_id !== id || random(4) === 0) await cancelBatch(store.db, of);
      seen(of.batch_id === id ? 'parent picked' : 'child cancelled');
    } else store.now += random(3_000);
    await expectSound(store);
  }
  // Nobody dies any more, and nobody interferes: all must come to an end by itself.
  const live = "SELECT id FROM batches WHERE state IN ('active', 'paused', 'cancelling')";
  for (let round = 0; (await store.rows(live)).length > 0; round++) {
    expect(round, `seed ${seed} comes to an end`).toBeLessThan(60);
    for (const { id: paused } of await store.rows<{ id: string }>(
      "SELECT id FROM batches WHERE state = 'paused'",
    )) {
      await resumeBatch(store.db, { batch_id: paused, by: 'ann', now: store.now });
    }
    await brain(store.db, 500);
    await work(0);
    await store.pass(60_000);
  }
  await expectSound(store);
  expect(await store.rows('SELECT * FROM child_ends')).toEqual([]);
  const torn = `SELECT t.state, c.state AS child FROM tasks t JOIN batches c ON c.parent_stage = t.stage_id AND c.parent_ordinal = t.ordinal
      AND c.parent_attempt = t.attempt
    WHERE t.state = 'succeeded' AND c.state <> 'succeeded'`;
  // A child that somebody retried after its task had ended may have come to something else since.
  expect((await store.rows<{ child: string }>(torn)).filter((row) => row.child !== 'failed')).toEqual([]);
  const [attempts] = await store.rows<{ n: number }>(
    `SELECT count(*) AS n FROM attempts h JOIN tasks t ON t.stage_id = h.stage_id AND t.ordinal = h.ordinal WHERE h.attempt > t.attempt`,
  );
  expect(attempts?.n).toBe(0);
  seen(await store.batchState(id));
  await store.close();
}

test('whatever dies, and whoever interferes, no child is lost or started twice, and all comes to an end', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await run(seed);
  for (const event of ['died', 'retried', 'child cancelled', 'succeeded', 'failed', 'cancelled']) {
    expect(happened.get(event) ?? 0, event).toBeGreaterThan(0);
  }
});
