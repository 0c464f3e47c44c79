import { setTimeout as sleep } from 'node:timers/promises';
import Libsql from 'libsql';
import {
  type Database,
  DatabaseBusyError,
  type ResultSet,
  type SqlValue,
  type Statement,
  toDriverParams,
} from '../database.ts';

/**
 * How long one attempt waits inside SQLite for another process's lock. The wait blocks the event loop, so it
 * is short; the patience is in the retries below, which do not block.
 */
const BUSY_WAIT_MS = 100;
/** Retries with 2 to 50 ms between them: about 10 s, then the caller answers 503. */
const BUSY_RETRIES = 100;
/** Prepared statements kept. The store has well under a hundred; reads built by drizzle add some. */
const STATEMENT_CACHE = 500;

export interface EmbeddedDatabaseOptions {
  readonly file: string;
  /** FULL: an acknowledged write survives loss of power. NORMAL survives only the death of the process. */
  readonly synchronous?: 'FULL' | 'NORMAL';
  readonly random?: () => number;
}

/**
 * libSQL in this process, on a file. Uses the native `libsql` beneath `@libsql/client` with statements prepared
 * once, which is two to three times faster: preparing the statements of a claim anew costs a third of it.
 *
 * BEGIN goes through `exec`, not through a prepared statement: a prepared one that met a lock stays open and
 * makes every later COMMIT on the connection fail (libsql-client-ts#352).
 */
export function openEmbeddedDatabase(options: EmbeddedDatabaseOptions): Database {
  const { file, synchronous = 'FULL', random = Math.random } = options;
  let connection = connect(file, synchronous);
  let statements = new Map<string, PreparedStatement>();
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  function prepare(sql: string): PreparedStatement {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    if (statements.size >= STATEMENT_CACHE) statements.clear();
    const native = connection.prepare(sql);
    const columns = native.columns().map((column) => column.name);
    if (columns.length > 0) native.raw(true);
    const prepared = { native, columns };
    statements.set(sql, prepared);
    return prepared;
  }

  function run(statement: Statement): ResultSet {
    const { native, columns } = prepare(statement.sql);
    const params = toDriverParams(statement.params);
    if (columns.length === 0) {
      native.run(params);
      return { columns, rows: [] };
    }
    return { columns, rows: native.all(params) as SqlValue[][] };
  }

  function runBatch(batch: readonly Statement[], mode: 'read' | 'write'): ResultSet[] {
    // A single read is a transaction by itself; half of the reads are.
    if (mode === 'read' && batch.length === 1) return batch.map(run);
    connection.exec(mode === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN');
    try {
      const results = batch.map(run);
      connection.exec('COMMIT');
      return results;
    } catch (error) {
      if (connection.inTransaction) connection.exec('ROLLBACK');
      throw error;
    }
  }

  /** A statement that met a lock can stay open and spoil its connection; a new connection is always clean. */
  function reconnect(): void {
    statements = new Map();
    connection.close();
    connection = connect(file, synchronous);
  }

  async function runPatiently(batch: readonly Statement[], mode: 'read' | 'write'): Promise<ResultSet[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (closed) throw new Error('The database is closed.');
        return runBatch(batch, mode);
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (attempt > BUSY_RETRIES) {
          throw new DatabaseBusyError('The database is locked by another process.', { cause: error });
        }
        reconnect();
        await sleep(2 + random() * Math.min(48, 2 ** attempt));
      }
    }
  }

  return {
    batch(batch, mode) {
      // First come, first served: a retry that waits for a lock must not be overtaken for ever.
      const result = queue.then(() => runPatiently(batch, mode));
      queue = result.catch(() => undefined);
      return result;
    },
    async close() {
      await queue;
      closed = true;
      statements.clear();
      connection.close();
    },
  };
}

interface PreparedStatement {
  readonly native: Libsql.Statement;
  readonly columns: readonly string[];
}

function connect(file: string, synchronous: 'FULL' | 'NORMAL'): Libsql.Database {
  const connection = new Libsql(file, { timeout: BUSY_WAIT_MS });
  connection.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA foreign_keys=ON`);
  return connection;
}

function isBusy(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED');
}
