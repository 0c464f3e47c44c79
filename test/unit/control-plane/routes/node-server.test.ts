import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentView, ClaimAnswer, Page, Scope } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogEntry } from '../../../../control-plane/src/deps.ts';
import {
  type ControlPlane,
  migrateDatabase,
  signingKeyFile,
  signToken,
  startControlPlane,
} from '../../../../control-plane/src/entry/node.ts';
import { MIGRATIONS } from '../../../../control-plane/src/store/migrate.ts';
import { hashOf, planOf, registration } from '../../../support/api.ts';
import { until } from '../../../support/until.ts';

let data: string;
let server: ControlPlane;
let log: LogEntry[];
const start = (change: object = {}) =>
  startControlPlane({ data, host: '127.0.0.1', port: 0, log: (entry) => log.push(entry), ...change });

beforeEach(async () => {
  data = join(mkdtempSync(join(tmpdir(), 'planfleet-node-')), 'data');
  log = [];
  server = await start();
});
afterEach(async () => {
  await server.close();
  rmSync(join(data, '..'), { recursive: true, force: true });
  expect(log.filter((entry) => entry.level !== 'info')).toEqual([]);
});

async function tokenOf(...scopes: Scope[]): Promise<string> {
  const signing_key = readFileSync(signingKeyFile(data), 'utf8');
  return (await signToken({ signing_key, subject: 'test', scopes, expires_in_s: 600 })).token;
}

async function ask(
  method: string,
  path: string,
  body?: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
) {
  const token = await tokenOf('submit', 'read', 'operate', 'agent', 'tick', 'admin');
  return fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  } as RequestInit);
}

const submit = () => ask('POST', '/v1/batches', planOf(['a']), { 'content-type': 'text/markdown' });
async function register(name: string): Promise<number> {
  const response = await ask('POST', '/v1/agents/register', JSON.stringify(registration(name)));
  return ((await response.json()) as { session: number }).session;
}
/** When the agents were heard of last, oldest first. */
async function listSeen(): Promise<string[]> {
  const { items } = (await (await ask('GET', '/v1/agents?limit=100')).json()) as Page<AgentView>;
  return items.map((agent) => agent.last_seen_at).sort();
}
async function untilClaimed(agents: number, registered: readonly string[]): Promise<void> {
  const latest = registered.at(-1) ?? '';
  await until(`the claims of ${agents} agents to arrive`, async () => {
    const seen = await listSeen();
    return seen.filter((time) => time > latest).length >= agents;
  });
}
const claim = (name: string, session: number) =>
  ask('POST', `/v1/agents/${name}/claim?wait=25`, JSON.stringify({ session, slots: 1, have: [] }));

test('the data folder is for its owner alone, and keeps its key over a restart', async () => {
  const mode = (path: string) => statSync(path).mode & 0o777;
  expect([mode(data), mode(signingKeyFile(data))]).toEqual([0o700, 0o600]);
  const key = readFileSync(signingKeyFile(data), 'utf8');
  await server.close();
  chmodSync(data, 0o755);
  server = await start();
  expect(readFileSync(signingKeyFile(data), 'utf8')).toBe(key);
  expect(mode(data)).toBe(0o700);
  expect(existsSync(join(data, 'artifacts'))).toBe(true);
});

test('the database is made by a command of its own too', async () => {
  const other = join(data, '..', 'other');
  const version = MIGRATIONS.at(-1)?.version;
  const applied = MIGRATIONS.map((migration) => migration.name);
  expect(await migrateDatabase({ data: other })).toEqual({ applied, version });
  expect(await migrateDatabase({ data: other })).toEqual({ applied: [], version });
});

test('a token without scopes is not made', async () => {
  const signing_key = readFileSync(signingKeyFile(data), 'utf8');
  await expect(signToken({ signing_key, subject: 'x', scopes: [] })).rejects.toThrow(/scopes/);
});

test('a port that is taken is an error, not a hang', async () => {
  await expect(start({ port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('many long-polls are held, and each task goes to one of them within a second', async () => {
  const polls = [];
  const sessions: number[] = [];
  for (let i = 0; i < 40; i++) sessions.push(await register(`agent-${i}`));
  const registered = await listSeen();
  for (const [i, session] of sessions.entries()) polls.push(claim(`agent-${i}`, session));
  await untilClaimed(40, registered);
  const answers = polls.map(async (poll) => (await (await poll).json()) as ClaimAnswer);
  const started = performance.now();
  for (let i = 0; i < 40; i++) await submit();
  expect((await Promise.all(answers)).map(({ leases }) => leases.length)).toEqual(Array(40).fill(1));
  expect(performance.now() - started).toBeLessThan(10_000);
});

test('an agent that went away gets nothing: its task goes to the next one', async () => {
  const [one, two] = [await register('one'), await register('two')];
  const registered = await listSeen();
  const agent = new Agent();
  const lost = request(`${server.url}/v1/agents/one/claim?wait=25`, {
    method: 'POST',
    agent,
    headers: { authorization: `Bearer ${await tokenOf('agent')}` },
  });
  lost.on('error', () => undefined);
  lost.end(JSON.stringify({ session: one, slots: 1, have: [] }));
  await untilClaimed(1, registered);
  lost.destroy();
  // When the server has noticed cannot be seen from outside.
  await sleep(100);
  const held = claim('two', two);
  await submit();
  expect(((await (await held).json()) as ClaimAnswer).leases).toHaveLength(1);
});

test('closing answers those who wait', async () => {
  const session = await register('one');
  const registered = await listSeen();
  const held = claim('one', session);
  await untilClaimed(1, registered);
  const started = performance.now();
  await server.close();
  expect(((await (await held).json()) as ClaimAnswer).leases).toEqual([]);
  expect(performance.now() - started).toBeLessThan(3_000);
  server = await start();
});

test('closing does not wait for connections that have carried no request, nor for half of one', async () => {
  const sockets = [connect(server.port, '127.0.0.1'), connect(server.port, '127.0.0.1')];
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    await once(socket, 'connect');
  }
  sockets[1]?.write('GET /v1/batches HTTP/1.1\r\nHost: x');
  expect((await ask('GET', '/v1/batches')).status).toBe(200);
  const started = performance.now();
  await server.close();
  expect(performance.now() - started).toBeLessThan(2_000);
  server = await start();
});

test('a large blob is streamed in and out, in pieces of unknown number', async () => {
  const content = randomBytes(20_000_000);
  const pieces = Array.from({ length: 200 }, (_, i) => content.subarray(i * 100_000, (i + 1) * 100_000));
  const stream = Readable.toWeb(Readable.from(pieces)) as ReadableStream<Uint8Array<ArrayBuffer>>;
  expect((await ask('PUT', `/v1/blobs/${hashOf(content)}`, stream)).status).toBe(201);
  const response = await ask('GET', `/v1/blobs/${hashOf(content)}`);
  expect(hashOf(new Uint8Array(await response.arrayBuffer()))).toBe(hashOf(content));
});

test('an upload that broke off leaves nothing, and the server goes on', async () => {
  const content = randomBytes(5_000_000);
  const upload = request(`${server.url}/v1/blobs/${hashOf(content)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await tokenOf('agent')}`, 'content-length': content.length },
  });
  upload.on('error', () => undefined);
  upload.write(content.subarray(0, 2_000_000));
  const arriving = () => readdirSync(join(data, 'artifacts', 'arriving'));
  await until('the upload to arrive', () => arriving().length > 0);
  upload.destroy();
  await until('what had arrived to be removed', () => arriving().length === 0);
  expect((await ask('GET', `/v1/blobs/${hashOf(content)}`)).status).toBe(404);
  expect((await submit()).status).toBe(201);
});

test.each([
  ['announced', true],
  ['not announced', false],
])('a body that is far too large (%s) is told so, although it is not read', async (_name, announced) => {
  const body = new Uint8Array(60_000_000);
  const send = announced ? body : new Blob([body]).stream();
  const response = await ask('POST', '/v1/agents/register', send);
  expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, 'too_large']);
  expect((await submit()).status).toBe(201);
});

test('what is no HTTP does not end the server', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('\x16\x03\x01 garbage\r\n\r\n');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 400 /);
  for (const path of ['/%', '/v1/batches/%E0%A4%A', '/v1//batches', `/${'a'.repeat(10_000)}`]) {
    expect((await ask('GET', path)).status).toBeLessThan(500);
  }
});

test('a file in place of the data folder is an error that names it', async () => {
  const file = join(data, 'file');
  writeFileSync(file, '');
  await expect(start({ data: file })).rejects.toThrow(/file/);
});
