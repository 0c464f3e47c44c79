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
import { explainFault } from './explain-fault.ts';

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
  const connection = new Connection(file, synchronous);
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;

  async function runPatiently(batch: readonly Statement[], mode: 'read' | 'write'): Promise<ResultSet[]> {
    for (let attempt = 1; ; attempt++) {
      if (closed) throw new Error('The database is closed.');
      try {
        return connection.runBatch(batch, mode);
      } catch (error) {
        const fault = explainFault(error);
        if (fault === null) throw error;
        connection.drop();
        if (fault.kind === 'storage') throw new DatabaseBusyError(fault.message, { cause: error });
        if (attempt > BUSY_RETRIES) {
          throw new DatabaseBusyError('The database is locked by another process.', { cause: error });
        }
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
      connection.drop();
    },
  };
}

/** One connection at a time with its prepared statements; opened anew by the batch after a `drop`. */
class Connection {
  readonly #file: string;
  readonly #synchronous: 'FULL' | 'NORMAL';
  #native: Libsql.Database | null;
  readonly #statements = new Map<string, PreparedStatement>();

  constructor(file: string, synchronous: 'FULL' | 'NORMAL') {
    this.#file = file;
    this.#synchronous = synchronous;
    // At once: that the file cannot be opened is told by the start, not by the first request.
    this.#native = connect(file, synchronous);
  }

  runBatch(batch: readonly Statement[], mode: 'read' | 'write'): ResultSet[] {
    this.#native ??= connect(this.#file, this.#synchronous);
    const native = this.#native;
    // A single read is a transaction by itself; half of the reads are.
    if (mode === 'read' && batch.length === 1) return batch.map((statement) => this.#run(native, statement));
    native.exec(mode === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN');
    try {
      const results = batch.map((statement) => this.#run(native, statement));
      native.exec('COMMIT');
      return results;
    } catch (error) {
      if (native.inTransaction) native.exec('ROLLBACK');
      throw error;
    }
  }

  /** A statement that met a lock can stay open and spoil its connection; a new connection is always clean. */
  drop(): void {
    const native = this.#native;
    this.#native = null;
    this.#statements.clear();
    native?.close();
  }

  #run(native: Libsql.Database, { sql, params }: Statement): ResultSet {
    const { statement, columns } = this.#prepare(native, sql);
    const bound = toDriverParams(params);
    if (columns.length > 0) return { columns, rows: statement.all(bound) as SqlValue[][] };
    statement.run(bound);
    return { columns, rows: [] };
  }

  #prepare(native: Libsql.Database, sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= STATEMENT_CACHE) this.#statements.clear();
    const statement = native.prepare(sql);
    const columns = statement.columns().map((column) => column.name);
    if (columns.length > 0) statement.raw(true);
    const prepared = { statement, columns };
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

interface PreparedStatement {
  readonly statement: Libsql.Statement;
  readonly columns: readonly string[];
}

function connect(file: string, synchronous: 'FULL' | 'NORMAL'): Libsql.Database {
  const connection = new Libsql(file, { timeout: BUSY_WAIT_MS });
  connection.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=${synchronous}; PRAGMA foreign_keys=ON`);
  return connection;
}
