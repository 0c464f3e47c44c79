import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bindStatement, type Database } from '../../../../control-plane/src/store/database.ts';
import { openEmbeddedDatabase } from '../../../../control-plane/src/store/databases/embedded.node.ts';
import { explainFault } from '../../../../control-plane/src/store/databases/explain-fault.ts';

let folder: string;
let db: Database;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'planfleet-faults-'));
  db = openEmbeddedDatabase({ file: join(folder, 'x.db') });
});
afterEach(async () => {
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const run = (sql: string) => db.batch([bindStatement(sql, {})], 'write');

test('a full disk is told as such at once, and the database works again when there is room', async () => {
  await run('CREATE TABLE t (v)');
  const fill = bindStatement('INSERT INTO t VALUES (randomblob(1000000))', {});
  const limited = db.batch([bindStatement('PRAGMA max_page_count = 20', {}), fill], 'write');
  const started = performance.now();
  await expect(limited).rejects.toMatchObject({
    name: 'DatabaseBusyError',
    message: 'The disk of the database is full.',
    cause: { code: expect.stringContaining('SQLITE_FULL') },
  });
  expect(performance.now() - started).toBeLessThan(1_000);
  await db.batch([fill], 'write');
  const [result] = await run('SELECT count(*) FROM t');
  expect(result?.rows).toEqual([[1]]);
});

test.each([
  ['SQLITE_BUSY_SNAPSHOT', 'locked'],
  ['SQLITE_LOCKED', 'locked'],
  ['SQLITE_FULL', 'storage'],
  ['SQLITE_IOERR_FSYNC', 'storage'],
  ['SQLITE_CANTOPEN_ISDIR', 'storage'],
  ['SQLITE_CONSTRAINT_UNIQUE', undefined],
])('%s is %s', (code, kind) => {
  expect(explainFault(Object.assign(new Error('x'), { code }))?.kind).toBe(kind);
});
