import { expect, test } from 'vitest';
import { readRows } from '../../../../control-plane/src/store/database.ts';
import { TASK_TRANSITIONS } from '../../../../control-plane/src/store/task-states.ts';
import { randomFrom } from '../../../support/random-from.ts';
import { openTempDatabase, type TempDatabase } from '../../../support/temp-database.ts';
import { Fuzz, happened, LEASE_MS } from './fuzz.ts';
import { checkFuzz } from './fuzz-check.ts';
import { batchState } from './fuzz-model.ts';

/** FUZZ_SEEDS=2000 for a night. */
const SEEDS = Number(process.env['FUZZ_SEEDS'] ?? 60);
const STEPS = 150;

const observed = new Set<string>();

async function runSeed(seed: number): Promise<string> {
  const db = await openTempDatabase();
  try {
    return await runOn(db, seed);
  } finally {
    await db.close();
  }
}

async function runOn(db: TempDatabase, seed: number): Promise<string> {
  await db.batch(
    [
      { sql: 'CREATE TABLE observed (edge TEXT PRIMARY KEY)', params: {} },
      {
        sql: "CREATE TRIGGER observe AFTER UPDATE OF state ON tasks WHEN old.state <> new.state BEGIN INSERT OR IGNORE INTO observed VALUES (old.state || ' ' || new.state); END",
        params: {},
      },
    ],
    'write',
  );
  const random = randomFrom(seed);
  const grouped = seed % 2 === 0;
  const items = random(4) === 0 ? 0 : 1 + random(grouped ? 30 : 14);
  const fuzz = new Fuzz(db, random, items, grouped);
  await fuzz.start();
  let step = 0;
  try {
    for (; !fuzz.over() && step < 2_000; step++) {
      const calm = step > STEPS;
      await fuzz.pass(1 + random(calm ? 2_000 : 8_000));
      const agent = fuzz.agents[random(fuzz.agents.length)];
      if (agent === undefined) break;
      const operation = random(calm ? 6 : 14);
      if (operation <= 2) await fuzz.claim(agent, !calm && random(6) === 0);
      else if (operation <= 5 || operation <= 8) await fuzz.finish(agent, calm);
      else if (operation === 9)
        await fuzz.register(
          agent,
          agent.held.filter((lease) => fuzz.task(lease).lease?.number === lease.lease && random(2) === 0),
        );
      else if (operation === 10 && random(3) === 0) await fuzz.pass(LEASE_MS / 2);
      else if (operation === 11 && random(8) === 0) await fuzz.cancel();
      else if (operation >= 12) await fuzz.beat(agent);
      await checkFuzz(fuzz);
    }
    fuzz.haste = 1;
    for (let n = 0; n < 3; n++) await fuzz.tick();
    await checkFuzz(fuzz);
  } catch (error) {
    throw new Error(
      `seed ${seed}, step ${step}: ${error instanceof Error ? error.message : String(error)}\n${fuzz.describe()}`,
      { cause: error },
    );
  }
  const [edges] = await db.batch([{ sql: 'SELECT edge FROM observed', params: {} }], 'read');
  for (const row of readRows<{ edge: string }>(edges)) observed.add(row.edge);
  return batchState(fuzz.model);
}

test(
  `${SEEDS} seeds of random operations agree with an independent model after every step`,
  async () => {
    const ends = new Map<string, number>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const state = await runSeed(seed);
      ends.set(state, (ends.get(state) ?? 0) + 1);
    }
    expect(ends.get('succeeded') ?? 0).toBeGreaterThan(0);
    expect(ends.get('failed') ?? 0).toBeGreaterThan(0);
    expect(ends.get('active') ?? 0).toBe(0);
    for (const event of [
      'late result',
      'stale report',
      'report repeated',
      'claim answer lost',
      'lost at restart',
      'lease expired',
      'lease taken back',
      'report without its items',
      'cancelled',
      'list in groups',
      'list half made',
    ]) {
      expect(happened.get(event) ?? 0, event).toBeGreaterThan(0);
    }
  },
  120_000 + 2_000 * SEEDS,
);

/** What only operators cause: fuzz-operate.test.ts sees to it. */
const BY_OPERATORS = ['abandoned ready', 'skipped waiting'];

test('the store makes every change of state in the table, and no other', () => {
  expect([...observed, ...BY_OPERATORS].sort()).toEqual(
    TASK_TRANSITIONS.map(({ from, to }) => `${from} ${to}`).sort(),
  );
});
