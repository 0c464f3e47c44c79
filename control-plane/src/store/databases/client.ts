import type { Client, ResultSet as DriverResult, InStatement } from '@libsql/client';
import {
  type Database,
  DatabaseBusyError,
  type ResultSet,
  type SqlValue,
  toDriverParams,
} from '../database.ts';
import { explainFault } from './explain-fault.ts';

/** Retries of a batch that met a lock: about 10 s with `BUSY_PAUSE_MS` between them, then the caller answers 503. */
const BUSY_RETRIES = 60;
const BUSY_PAUSE_MS = 50;

/**
 * The database through `@libsql/client`: a libSQL server over HTTP, the only way on Workers. The caller makes the
 * client, since `@libsql/client` and `@libsql/client/web` are different builds.
 *
 * Not for a file that another process writes too: there a connection that met a lock stays spoilt
 * (libsql-client-ts#352), which `embedded.node.ts` works around.
 */
export function openClientDatabase(client: Client, random: () => number): Database {
  return {
    async batch(statements, mode) {
      const inputs: InStatement[] = statements.map(({ sql, params }) => ({
        sql,
        args: toDriverParams(params),
      }));
      for (let attempt = 1; ; attempt++) {
        try {
          const results = await client.batch(inputs, mode === 'write' ? 'write' : 'read');
          return results.map(toResultSet);
        } catch (error) {
          if (isAway(error)) throw new DatabaseBusyError('The database does not answer.', { cause: error });
          const fault = explainFault(error);
          if (fault === null) throw error;
          if (fault.kind === 'storage') throw new DatabaseBusyError(fault.message, { cause: error });
          if (attempt > BUSY_RETRIES)
            throw new DatabaseBusyError('The database is locked.', { cause: error });
          await new Promise((resolve) =>
            setTimeout(resolve, random() * BUSY_PAUSE_MS * Math.min(attempt, 6)),
          );
        }
      }
    },
    async close() {
      client.close();
    },
  };
}

function toResultSet({ columns, rows }: DriverResult): ResultSet {
  return { columns, rows: rows.map((row) => columns.map((_, index) => toValue(row[index]))) };
}

function toValue(value: unknown): SqlValue {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return (value ?? null) as SqlValue;
}

/** SQL that fails has a code of its own; what failed on the way has none, or that of a gateway. */
function isAway(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === '' || code === 'SERVER_ERROR';
}
