import { expect, test } from 'vitest';
import { TASK_TRANSITIONS } from '../../../../control-plane/src/store/task-states.ts';
import { randomFrom } from '../../../support/random-from.ts';
import { StoreHarness } from '../../../support/store-harness.ts';
import { OperateFuzz } from './fuzz-operate.ts';

/** FUZZ_SEEDS=2000 for a night. */
const SEEDS = Number(process.env['FUZZ_SEEDS'] ?? 10);

const OBSERVE = `CREATE TRIGGER observe AFTER UPDATE OF state ON tasks WHEN old.state <> new.state
  BEGIN INSERT OR IGNORE INTO observed VALUES (old.state || ' ' || new.state); END`;

test(
  `${SEEDS} seeds of random operators leave nothing that a retry does not repair`,
  async () => {
    const known = new Set(TASK_TRANSITIONS.map(({ from, to }) => `${from} ${to}`));
    const observed = new Set<string>();
    const happened = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const store = await StoreHarness.open();
      const prepare = ['CREATE TABLE observed (edge TEXT PRIMARY KEY)', OBSERVE];
      await store.db.batch(
        prepare.map((sql) => ({ sql, params: {} })),
        'write',
      );
      const fuzz = new OperateFuzz(store, randomFrom(seed));
      try {
        await fuzz.run();
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
      for (const event of fuzz.happened) happened.add(event);
      for (const row of await store.rows<{ edge: string }>('SELECT edge FROM observed'))
        observed.add(row.edge);
      await store.close();
    }
    expect([...observed].filter((edge) => !known.has(edge))).toEqual([]);
    expect([...observed]).toEqual(expect.arrayContaining(['abandoned ready', 'skipped waiting']));
    expect([...happened].sort()).toEqual(['aborted', 'drained', 'one retried', 'paused', 'retried']);
  },
  60_000 + 3_000 * SEEDS,
);
