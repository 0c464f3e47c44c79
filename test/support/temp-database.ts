import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Database, Statement } from '../../control-plane/src/store/database.ts';
import { openEmbeddedDatabase } from '../../control-plane/src/store/databases/embedded.node.ts';
import { migrate } from '../../control-plane/src/store/migrate.ts';

export interface TempDatabase extends Database {
  readonly file: string;
  /** SQL text of everything that ran, for the test that explains every statement. */
  readonly texts: ReadonlySet<string>;
}

/**
 * A migrated database in a folder of its own, removed by `close`. Loss of power is not what these tests are about,
 * so `synchronous` is NORMAL unless asked otherwise.
 */
export async function openTempDatabase(synchronous: 'FULL' | 'NORMAL' = 'NORMAL'): Promise<TempDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-db-'));
  const file = join(folder, 'planfleet.db');
  const db = openEmbeddedDatabase({ file, synchronous });
  await migrate(db, 0);
  const texts = new Set<string>();
  return {
    file,
    texts,
    batch(statements: readonly Statement[], mode) {
      for (const statement of statements) texts.add(statement.sql);
      return db.batch(statements, mode);
    },
    async close() {
      await db.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
