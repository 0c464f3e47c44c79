import { createClient } from '@libsql/client/web';
import { ERROR_CODES } from '@planfleet/shared-types';
import { createApp } from '../app.ts';
import { openR2Store, type R2Bucket } from '../artifacts/stores/r2.ts';
import { parseSigningKeys } from '../auth/signing-key.ts';
import { createDeps } from '../create-deps.ts';
import type { Deps, LogEntry, Timers } from '../deps.ts';
import { DEFAULT_SETTINGS, type Settings } from '../settings.ts';
import { openClientDatabase } from '../store/databases/client.ts';
import { migrate } from '../store/migrate.ts';
import { createOwnBell } from '../wake/bells/own-bell.ts';
import { createOwnPoller } from '../wake/wakes/own-poller.ts';
import { createBatchWatch } from '../watch/batch-watch.ts';

/** Variables, secrets and bindings of wrangler.toml. */
export interface Env {
  readonly DATABASE_URL?: string;
  readonly DATABASE_TOKEN?: string;
  readonly SIGNING_KEY?: string;
  readonly ARTIFACTS?: R2Bucket;
}

interface ExecutionContext {
  waitUntil(promise: Promise<unknown>): void;
}

interface Instance {
  readonly app: ReturnType<typeof createApp>;
  readonly deps: Deps;
  /** Work that came up in requests and runs after their answers. */
  readonly deferred: (() => Promise<void>)[];
  migrated: Promise<string[]> | null;
}

/** The web client would queue calls of one request behind those of another, which on Workers may never end. */
const NO_QUEUE = 1_000_000;

const SETTINGS: Settings = {
  ...DEFAULT_SETTINGS,
  // Cron's shortest interval.
  tick_ms: 60_000,
  // With `events_ms`: 25 reads per stream, within the 50 subrequests of a Worker.
  events_poll_ms: 1_000,
  events_ms: 25_000,
  // The platform takes bodies of 100 MB.
  max_blob_bytes: 100 << 20,
  // A request may make 50 others.
  follow_reads: 40,
};

const timers: Timers = {
  set(run, ms) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

let instance: Instance | null = null;

/** Built once per isolate, which belongs to one deployment and so to one configuration. */
function getInstance(env: Env): Instance | string {
  if (instance !== null) return instance;
  const { DATABASE_URL, DATABASE_TOKEN, SIGNING_KEY, ARTIFACTS } = env;
  if (!DATABASE_URL) return 'The variable DATABASE_URL is not set (libsql://...).';
  if (!SIGNING_KEY) return 'The secret SIGNING_KEY is not set.';
  if (!ARTIFACTS) return 'The R2 binding ARTIFACTS is missing.';
  try {
    const authToken = DATABASE_TOKEN === undefined ? {} : { authToken: DATABASE_TOKEN };
    const client = createClient({ url: DATABASE_URL, concurrency: NO_QUEUE, ...authToken });
    const db = openClientDatabase(client, Math.random);
    const deferred: Instance['deferred'] = [];
    const deps = createDeps({
      db,
      artifacts: openR2Store(ARTIFACTS),
      clock: { now: () => Date.now() },
      timers,
      random: Math.random,
      sha256,
      wake: createOwnPoller({ db, timers, random: Math.random, poll_ms: SETTINGS.wake_poll_ms }),
      logs: createOwnBell(timers),
      watch: createBatchWatch({ db, timers, sha256, log, poll_ms: SETTINGS.events_poll_ms, shared: false }),
      log,
      settings: SETTINGS,
      keys: parseSigningKeys(SIGNING_KEY),
      defer: (work) => void deferred.push(work),
    });
    instance = { app: createApp(deps), deps, deferred, migrated: null };
    return instance;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const found = getInstance(env);
    if (typeof found === 'string') return answerUnconfigured(request, found);
    const response = await found.app.fetch(request);
    const work = found.deferred.splice(0);
    if (work.length > 0) context.waitUntil(Promise.all(work.map((run) => run())));
    return response;
  },

  async scheduled(_event: unknown, env: Env): Promise<void> {
    const found = getInstance(env);
    if (typeof found === 'string') return log({ level: 'error', message: `Not configured: ${found}` });
    // Here and not in requests: the tables are there a minute after the deployment, and no request waits for a look.
    const { db, clock } = found.deps;
    found.migrated ??= migrate(db, clock.now());
    try {
      await found.migrated;
    } catch (error) {
      found.migrated = null;
      throw error;
    }
    const report = await found.deps.brain.tick();
    log({ level: 'info', message: 'Ticked.', ...report });
  },
};

/** The process is healthy, it just cannot do anything: that is what /readyz is for. */
function answerUnconfigured(request: Request, reason: string): Response {
  if (new URL(request.url).pathname === '/healthz') return Response.json({ ok: true });
  const problem = {
    type: 'urn:planfleet:problem:busy',
    title: ERROR_CODES.busy.title,
    status: ERROR_CODES.busy.status,
    detail: `The control plane is not configured: ${reason}`,
    code: 'busy',
    hint: 'The comments of wrangler.toml say what to set.',
  };
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '60' },
  });
}

async function sha256(data: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(data));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Workers keep what is written to the console. */
function log({ level, ...entry }: LogEntry): void {
  console[level](JSON.stringify(entry));
}
