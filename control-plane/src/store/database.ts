/** A value that SQLite stores. Booleans are 0 and 1; times are whole ms since 1970. */
export type SqlValue = string | number | bigint | null | Uint8Array;

export type SqlParams = Readonly<Record<string, SqlValue>>;

/** One SQL statement. Ours have named parameters (`:name`); those built by drizzle have positional ones (`?`). */
export interface Statement {
  readonly sql: string;
  readonly params: SqlParams | readonly SqlValue[];
}

export interface ResultSet {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
}

/**
 * The database port. `batch` is the only way in: all statements in one transaction, in order, atomically;
 * `write` takes the write lock at its start (BEGIN IMMEDIATE), so that what it reads is what it changes.
 *
 * Interactive transactions are left out on purpose: over HTTP each of their statements is a round trip
 * with the lock held, and on an embedded file they block the event loop against themselves.
 *
 * How many rows a statement changed is told by RETURNING alone: the drivers' own counts differ.
 */
export interface Database {
  batch(statements: readonly Statement[], mode: 'read' | 'write'): Promise<ResultSet[]>;
  close(): Promise<void>;
}

/** The database is locked by somebody else, full or away: nothing was changed, the same call may succeed later. */
export class DatabaseBusyError extends Error {
  override readonly name = 'DatabaseBusyError';
}

/** The rows of a result as objects by column name. The caller names the type that its SQL selects. */
export function readRows<Row>(result: ResultSet | undefined): Row[] {
  if (result === undefined) throw new Error('The batch returned fewer results than it had statements.');
  return result.rows.map(
    (values) => Object.fromEntries(result.columns.map((column, index) => [column, values[index]])) as Row,
  );
}

const namesBySql = new Map<string, readonly string[]>();

/** Builds a statement with those of `params` that its text names; a name without a value is a bug, told at once. */
export function bindStatement(sql: string, params: SqlParams): Statement {
  let names = namesBySql.get(sql);
  if (names === undefined) {
    names = [...new Set([...sql.matchAll(/(?<![:\w]):([a-z_][a-z0-9_]*)/g)].map((match) => match[1] ?? ''))];
    namesBySql.set(sql, names);
  }
  const bound: Record<string, SqlValue> = {};
  for (const name of names) {
    const value = params[name];
    if (value === undefined) throw new Error(`Parameter :${name} has no value in: ${sql.slice(0, 120)}`);
    bound[name] = value;
  }
  return { sql, params: bound };
}

/**
 * Whole numbers as bigint. The drivers bind every JS number as REAL; a column converts it, but inside JSON and
 * expressions 5.0 is not 5.
 */
export function toDriverParams(params: Statement['params']): Record<string, SqlValue> | SqlValue[] {
  if (isPositional(params)) return params.map(toDriverValue);
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, toDriverValue(value)]));
}

function isPositional(params: Statement['params']): params is readonly SqlValue[] {
  return Array.isArray(params);
}

function toDriverValue(value: SqlValue): SqlValue {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

/**
 * JSON for a parameter that SQL reads values out of. A string with half a surrogate pair (Python writes such names
 * for files that are not UTF-8) would come out of SQLite as invalid UTF-8, at which the native driver ends the
 * process: the half is replaced, as everywhere on the web. JSON inside JSON keeps its escapes and is not touched.
 */
export function toJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (!LONE_SURROGATE_ESCAPE.test(json)) return json;
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? repairText(part) : part));
}

/** JSON.stringify writes whole pairs as they are, so that an escape of this kind is always a half. */
const LONE_SURROGATE_ESCAPE = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

function repairText(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}

/** Items of a list, each as its own JSON text: SQLite then never reads into them, and numbers stay as they were written. */
export function toItemsJson(items: readonly unknown[]): string {
  return JSON.stringify(items.map((item) => JSON.stringify(item)));
}
