import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import Libsql from 'libsql';

type Value = { type: string; value?: string | number; base64?: string };
type Condition = { type: string; step?: number; cond?: Condition };
type Step = {
  stmt: Sql & { named_args?: { name: string; value: Value }[]; args?: Value[] };
  condition?: Condition;
};
type Sql = { sql?: string | null; sql_id?: number };
type Request = Sql & { type: string; batch?: { steps: Step[] }; stmt?: Step['stmt'] };

export interface HranaServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A libSQL server as far as the client's batches need one (Hrana 2 over HTTP, each pipeline a connection of its
 * own), over the embedded library: what speaks it otherwise is a server of its own, which a test cannot count on.
 */
export async function startHranaServer(file: string, token: string): Promise<HranaServer> {
  const server = createServer(async (request, response) => {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.headers.authorization !== `Bearer ${token}`) return send(401, { message: 'Unauthorized' });
    if (request.url !== '/v2/pipeline') return send(404, { message: 'not found' });
    const { requests } = JSON.parse(Buffer.concat(chunks).toString()) as { requests: Request[] };
    send(200, { baton: null, base_url: null, results: await runPipeline(file, requests) });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function runPipeline(file: string, requests: readonly Request[]): Promise<unknown[]> {
  const texts = new Map<number, string>();
  const textOf = (sql: Sql) => sql.sql ?? texts.get(sql.sql_id ?? -1) ?? '';
  const results: unknown[] = [];
  const connection = new Libsql(file, { timeout: 0 });
  try {
    for (const request of requests) {
      const { type } = request;
      if (type === 'store_sql') texts.set(request.sql_id ?? -1, request.sql ?? '');
      const result =
        type === 'batch' ? { result: await runBatch(connection, request.batch?.steps ?? [], textOf) } : {};
      results.push({ type: 'ok', response: { type, ...result } });
    }
  } finally {
    connection.close();
  }
  return results;
}

async function runBatch(connection: Libsql.Database, steps: readonly Step[], textOf: (sql: Sql) => string) {
  const step_results: unknown[] = [];
  const step_errors: unknown[] = [];
  const holds = (condition: Condition): boolean => {
    if (condition.type === 'not') return condition.cond === undefined || !holds(condition.cond);
    return step_results[condition.step ?? -1] !== null;
  };
  for (const { stmt, condition } of steps) {
    const at = step_results.push(null) - 1;
    step_errors.push(null);
    if (condition !== undefined && !holds(condition)) continue;
    try {
      step_results[at] = await execute(connection, textOf(stmt), stmt);
    } catch (error) {
      const { message, code } = error as { message: string; code?: string };
      step_errors[at] = { message, code: code ?? 'SQLITE_UNKNOWN' };
    }
  }
  return { step_results, step_errors };
}

async function execute(connection: Libsql.Database, sql: string, stmt: Step['stmt']): Promise<unknown> {
  const nothing = { cols: [], rows: [], affected_row_count: 0, last_insert_rowid: null };
  if (/^(BEGIN|COMMIT|ROLLBACK)/.test(sql)) {
    // `exec`, since a prepared BEGIN that met a lock would spoil the connection.
    for (let attempt = 0; ; attempt++) {
      try {
        connection.exec(sql.replace(' READONLY', '').replace('BEGIN TRANSACTION', 'BEGIN'));
        return nothing;
      } catch (error) {
        if (attempt > 500 || !String((error as { code?: string }).code).startsWith('SQLITE_BUSY'))
          throw error;
        await sleep(4);
      }
    }
  }
  const statement = connection.prepare(sql);
  const named = stmt.named_args?.map(({ name, value }) => [name.replace(/^[:@$]/, ''), decode(value)]) ?? [];
  const params = named.length > 0 ? Object.fromEntries(named) : (stmt.args ?? []).map(decode);
  const columns = statement.columns();
  if (columns.length === 0) {
    statement.run(params);
    return nothing;
  }
  statement.safeIntegers(true).raw(true);
  const rows = (statement.all(params) as unknown[][]).map((row) => row.map(encode));
  return { ...nothing, cols: columns.map(({ name }) => ({ name, decltype: null })), rows };
}

function decode({ type, value, base64 }: Value): unknown {
  if (type === 'null') return null;
  if (type === 'integer') return BigInt(value ?? 0);
  return type === 'blob' ? Buffer.from(base64 ?? '', 'base64') : value;
}

function encode(value: unknown): Value {
  if (value === null || value === undefined) return { type: 'null' };
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) };
  if (typeof value === 'number') return { type: 'float', value };
  if (typeof value === 'string') return { type: 'text', value };
  return { type: 'blob', base64: Buffer.from(value as Uint8Array).toString('base64') };
}
