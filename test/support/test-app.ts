import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Problem, Scope } from '@planfleet/shared-types';
import { createApp } from '../../control-plane/src/app.ts';
import { openDirectoryStore } from '../../control-plane/src/artifacts/stores/directory.node.ts';
import { signToken, type TokenOptions } from '../../control-plane/src/auth/sign-token.ts';
import { createSigningKey, parseSigningKeys } from '../../control-plane/src/auth/signing-key.ts';
import { createDeps, type Ports } from '../../control-plane/src/create-deps.ts';
import type { Deps, LogEntry, Timers } from '../../control-plane/src/deps.ts';
import { DEFAULT_SETTINGS, type Settings } from '../../control-plane/src/settings.ts';
import type { Database } from '../../control-plane/src/store/database.ts';
import { createSharedBell } from '../../control-plane/src/wake/bells/shared-bell.ts';
import { createSharedPoller } from '../../control-plane/src/wake/wakes/shared-poller.ts';
import { createBatchWatch } from '../../control-plane/src/watch/batch-watch.ts';
import { openTempDatabase } from './temp-database.ts';

/** 2026-11-22 12:00 UTC. */
export const START = 1_795_348_800_000;

const KEYS = parseSigningKeys(createSigningKey(new Uint8Array(40).fill(7)));

const realTimers: Timers = {
  set(run, ms) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export interface TestApp {
  readonly app: ReturnType<typeof createApp>;
  readonly deps: Deps;
  readonly db: Database;
  readonly log: LogEntry[];
  /** Work that was kicked off and not run: a test that wants it runs it. */
  readonly deferred: (() => Promise<void>)[];
  readonly clock: { now(): number; advance(ms: number): void };
  token(scopes: readonly Scope[], change?: Partial<TokenOptions>): Promise<string>;
  /** A request with a token of these scopes; a body that is no text is sent as JSON. */
  ask(
    scope: Scope,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>;
  close(): Promise<void>;
}

export interface TestAppChange {
  readonly settings?: Partial<Settings>;
  readonly ports?: Partial<Ports>;
}

/** The real app on a database and a folder of its own, with a clock that stands until it is moved. */
export async function openTestApp(change: TestAppChange = {}): Promise<TestApp> {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-app-'));
  const temporary = await openTempDatabase();
  const db = change.ports?.db ?? temporary;
  const settings = { ...DEFAULT_SETTINGS, ...change.settings };
  const log: LogEntry[] = [];
  const deferred: (() => Promise<void>)[] = [];
  let now = START;
  const clock = {
    now: () => now,
    advance(ms: number) {
      now += ms;
    },
  };
  const logTo = (entry: LogEntry) => void log.push(entry);
  const timers = change.ports?.timers ?? realTimers;
  const deps = createDeps({
    db,
    artifacts: await openDirectoryStore(join(folder, 'artifacts'), now),
    clock,
    timers,
    random: Math.random,
    sha256,
    wake: createSharedPoller({ db, clock, timers, log: logTo, poll_ms: settings.wake_poll_ms }),
    logs: createSharedBell(timers),
    watch: createBatchWatch({
      db,
      timers,
      sha256,
      log: logTo,
      poll_ms: settings.events_poll_ms,
      shared: true,
    }),
    log: logTo,
    settings,
    keys: KEYS,
    defer: (work) => void deferred.push(work),
    ...change.ports,
  });
  const app = createApp(deps);
  const token: TestApp['token'] = (scopes, options = {}) =>
    signToken(KEYS[0], { jti: randomUUID(), subject: 'tester', scopes, ...options }, clock.now());
  return {
    app,
    deps,
    db,
    log,
    deferred,
    clock,
    token,
    async ask(scope, method, path, body, headers = {}) {
      const authorization = `Bearer ${await token([scope])}`;
      return app.request(path, {
        method,
        headers: { authorization, ...headers },
        ...(body === undefined ? {} : { body: toBody(body) }),
      });
    },
    async close() {
      deps.wake.close();
      deps.logs.close();
      deps.watch.close();
      await temporary.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function sha256(data: Uint8Array): Promise<string> {
  return createHash('sha256').update(data).digest('hex');
}

function toBody(body: unknown): NonNullable<RequestInit['body']> {
  if (typeof body === 'string' || body instanceof FormData || body instanceof Uint8Array)
    return body as NonNullable<RequestInit['body']>;
  return JSON.stringify(body);
}

export async function readProblem(response: Response): Promise<Problem & Record<string, unknown>> {
  return (await response.json()) as Problem & Record<string, unknown>;
}

export async function readJson<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}
