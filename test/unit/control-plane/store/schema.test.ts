import { getTableColumns, getTableName } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRows } from '../../../../control-plane/src/store/database.ts';
import { MIGRATIONS, migrate } from '../../../../control-plane/src/store/migrate.ts';
import * as schema from '../../../../control-plane/src/store/schema.ts';
import { openTempDatabase, type TempDatabase } from '../../../support/temp-database.ts';

let db: TempDatabase;
beforeAll(async () => {
  db = await openTempDatabase();
});
afterAll(() => db.close());

async function columnsOf(table: string): Promise<{ name: string; notnull: boolean }[]> {
  const [result] = await db.batch(
    [{ sql: `SELECT name, "notnull", pk FROM pragma_table_info('${table}')`, params: {} }],
    'read',
  );
  return readRows<{ name: string; notnull: number; pk: number }>(result).map((row) => ({
    name: row.name,
    notnull: Number(row.notnull) === 1 || Number(row.pk) > 0,
  }));
}

test('drizzle knows every table and column of the migrated database', async () => {
  const [result] = await db.batch(
    [{ sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", params: {} }],
    'read',
  );
  const inDatabase = readRows<{ name: string }>(result)
    .map((row) => row.name)
    .filter((name) => name !== 'schema_migrations');
  const tables = Object.values(schema);
  expect(tables.map((table) => getTableName(table)).sort()).toEqual(inDatabase.sort());
  for (const table of tables) {
    const drawn = Object.values(getTableColumns(table)).map((column) => ({
      name: column.name,
      notnull: column.notNull || column.primary,
    }));
    expect(drawn, getTableName(table)).toEqual(await columnsOf(getTableName(table)));
  }
});

test('migrating again changes nothing, and two instances at once apply each migration once', async () => {
  expect(await migrate(db, 1)).toEqual([]);
  const [result] = await db.batch([{ sql: 'SELECT version FROM schema_migrations', params: {} }], 'read');
  expect(result?.rows).toHaveLength(MIGRATIONS.length);
  const fresh = await openTempDatabase();
  await expect(Promise.all([migrate(fresh, 1), migrate(fresh, 1)])).resolves.toEqual([[], []]);
  await fresh.close();
});

test('the schema refuses a counter without its row, and a leased task without its holder', async () => {
  const run = (sql: string) => db.batch([{ sql, params: {} }], 'write');
  await run(
    "INSERT INTO batches (id, state, plan_name, plan_digest, inputs, priority, submitted_by, created_at) VALUES ('b', 'active', 'p', 'd', '{}', 5, 's', 1)",
  );
  await run(
    "INSERT INTO stages (batch_seq, position, key, class, labels, priority, definition, max_attempts, max_failures, max_failures_percent, state, runnable, expanded) VALUES (1, 0, 'k', 'cpu', '[]', 5, '{}', 3, 0, 0, 'open', 1, 1)",
  );
  await expect(run('UPDATE stages SET ready = 1')).rejects.toThrow(/CHECK/);
  await expect(run('UPDATE stages SET ready = -1, total = -1')).rejects.toThrow(/CHECK/);
  await expect(run("INSERT INTO tasks (stage_id, ordinal, state) VALUES (1, 0, 'leased')")).rejects.toThrow(
    /CHECK/,
  );
  await expect(run("UPDATE batches SET state = 'succeeded'")).rejects.toThrow(/CHECK/);
});
