import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindStatement, type Database, readRows } from '../../../../control-plane/src/store/database.ts';
import { openClientDatabase } from '../../../../control-plane/src/store/databases/client.ts';
import { openEmbeddedDatabase } from '../../../../control-plane/src/store/databases/embedded.node.ts';

/** One suite for every driver: what the store takes for granted of a database. */
const drivers: [string, (file: string) => Database][] = [
  ['embedded', (file) => openEmbeddedDatabase({ file })],
  [
    'client on a file',
    (file) =>
      openClientDatabase(createClient({ url: `file:${file}`, timeout: 100, concurrency: 1 }), Math.random),
  ],
];

describe.each(drivers)('%s database', (_name, open) => {
  let folder: string;
  let db: Database;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'planfleet-driver-'));
    db = open(join(folder, 'a b.db'));
    await db.batch([bindStatement('CREATE TABLE t (id INTEGER PRIMARY KEY, v, n INTEGER)', {})], 'write');
  });
  afterEach(async () => {
    await db.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const insert = (v: string | number | null, id: number | null = null) =>
    bindStatement('INSERT INTO t (id, v) VALUES (:id, :v) RETURNING id', { id, v });
  const count = async () =>
    Number(
      readRows<{ n: number }>(
        (await db.batch([bindStatement('SELECT count(*) AS n FROM t', {})], 'read'))[0],
      )[0]?.n,
    );

  test('RETURNING tells what a statement changed, in order', async () => {
    const results = await db.batch(
      [
        insert('a'),
        insert('b'),
        bindStatement('UPDATE t SET n = 1 WHERE v = :v RETURNING id, v', { v: 'b' }),
      ],
      'write',
    );
    expect(results.map((result) => readRows(result))).toEqual([
      [{ id: 1 }],
      [{ id: 2 }],
      [{ id: 2, v: 'b' }],
    ]);
  });

  test('a batch is atomic: a failing statement takes the ones before it along', async () => {
    await expect(db.batch([insert('a', 1), insert('b', 1)], 'write')).rejects.toThrow(/UNIQUE|CONSTRAINT/);
    expect(await count()).toBe(0);
    await db.batch([insert('c')], 'write');
    expect(await count()).toBe(1);
  });

  test('whole numbers are integers, inside JSON and expressions too', async () => {
    const [result] = await db.batch(
      [
        bindStatement('SELECT typeof(:n) AS t, json_array(:n) AS j, :n + 1 AS m, :f AS f, :s AS s, :z AS z', {
          n: 5,
          f: 1.5,
          s: 'x',
          z: null,
        }),
      ],
      'read',
    );
    expect(readRows(result)).toEqual([{ t: 'integer', j: '[5]', m: 6, f: 1.5, s: 'x', z: null }]);
  });

  test('later statements of a batch see what earlier ones wrote', async () => {
    const results = await db.batch([insert('a'), bindStatement('SELECT v FROM t', {})], 'write');
    expect(readRows(results[1])).toEqual([{ v: 'a' }]);
  });

  test('100 batches at once are all done, each in one piece', async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        db.batch([insert(n), bindStatement('UPDATE t SET n = coalesce(n, 0) + 1 WHERE id = 1', {})], 'write'),
      ),
    );
    expect(await count()).toBe(100);
    const [row] = await db.batch([bindStatement('SELECT n FROM t WHERE id = 1', {})], 'read');
    expect(readRows(row)).toEqual([{ n: 100 }]);
  });
});

test('the embedded database syncs every commit to disk on every connection', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-driver-'));
  const db = openEmbeddedDatabase({ file: join(folder, 'x.db') });
  const results = await db.batch(
    [bindStatement('PRAGMA synchronous', {}), bindStatement('PRAGMA journal_mode', {})],
    'read',
  );
  expect(results.map((result) => result.rows[0]?.[0])).toEqual([2, 'wal']);
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

test('two processes write one embedded file: every batch is done, none twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-driver-'));
  const file = join(folder, 'shared.db');
  const db = openEmbeddedDatabase({ file });
  const insert = (v: string) => bindStatement('INSERT INTO t (v) VALUES (:v)', { v });
  await db.batch([bindStatement('CREATE TABLE t (id INTEGER PRIMARY KEY, v)', {})], 'write');
  const child = fork(new URL('./write-rows.mjs', import.meta.url), [file, '200']);
  await once(child, 'message');
  child.send('go');
  const exited = once(child, 'exit');
  await Promise.all(Array.from({ length: 200 }, (_, n) => db.batch([insert(`mine ${n}`)], 'write')));
  await exited;
  expect(child.exitCode).toBe(0);
  const [result] = await db.batch([bindStatement('SELECT count(*), count(DISTINCT v) FROM t', {})], 'read');
  expect(result?.rows).toEqual([[400, 400]]);
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a parameter without a value is told at once, with its statement', () => {
  expect(() => bindStatement('SELECT :a, :b', { a: 1 })).toThrow(
    /Parameter :b has no value in: SELECT :a, :b/,
  );
});
