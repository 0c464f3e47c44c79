import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { createApp } from '../../app.ts';
import { openDirectoryStore } from '../../artifacts/stores/directory.node.ts';
import { parseSigningKeys } from '../../auth/signing-key.ts';
import { createDeps } from '../../create-deps.ts';
import type { Deps, Log, Timers } from '../../deps.ts';
import { DEFAULT_SETTINGS } from '../../settings.ts';
import { migrate } from '../../store/migrate.ts';
import { createSharedBell } from '../../wake/bells/shared-bell.ts';
import { createSharedPoller } from '../../wake/wakes/shared-poller.ts';
import { createBatchWatch } from '../../watch/batch-watch.ts';
import { openDatabase, prepareDataFolder } from './data-folder.ts';
import { type ListenOptions, listen, listenLocally, urlOf } from './listen.ts';
import { readOrCreateSigningKey } from './signing-key-file.ts';

export interface ControlPlaneOptions extends ListenOptions {
  /** Folder of database, artifacts and signing key; made when it is not there. */
  readonly data: string;
  readonly lease_ms?: number | undefined;
  readonly tick_ms?: number | undefined;
  readonly poll_ms?: number | undefined;
  readonly log: Log;
}

export interface ControlPlane {
  readonly url: string;
  /** For programs on this machine: with TLS a port of its own on loopback, since a certificate names another host. */
  readonly local_url: string;
  readonly port: number;
  /** Answers what is under way, then lets go of everything. */
  close(): Promise<void>;
}

const timers: Timers = {
  set(run, ms) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The control plane with everything in one folder: no other service is needed. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { log } = options;
  const folder = await prepareDataFolder(options.data);
  const keys = parseSigningKeys(await readOrCreateSigningKey(folder));
  const db = openDatabase(folder);
  const background = createBackground(log);
  try {
    await migrate(db, Date.now());
    const settings = {
      ...DEFAULT_SETTINGS,
      lease_ms: options.lease_ms ?? DEFAULT_SETTINGS.lease_ms,
      tick_ms: options.tick_ms ?? DEFAULT_SETTINGS.tick_ms,
      poll_ms: options.poll_ms ?? DEFAULT_SETTINGS.poll_ms,
      // An agent that beats too seldom for its lease would lose its tasks.
      heartbeat_ms: Math.min(
        DEFAULT_SETTINGS.heartbeat_ms,
        Math.ceil((options.lease_ms ?? Number.MAX_SAFE_INTEGER) / 3),
      ),
    };
    const clock = { now: () => Date.now() };
    const deps = createDeps({
      db,
      artifacts: await openDirectoryStore(join(folder, 'artifacts'), Date.now()),
      clock,
      timers,
      random: Math.random,
      sha256,
      wake: createSharedPoller({ db, clock, timers, log, poll_ms: settings.wake_poll_ms }),
      logs: createSharedBell(timers),
      watch: createBatchWatch({ db, timers, sha256, log, poll_ms: settings.events_poll_ms, shared: true }),
      log,
      settings,
      keys,
      defer: background.run,
    });
    const app = createApp(deps);
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    const { close, port } = await listen(listener, options);
    const local = options.tls === undefined ? null : await listenLocally(listener, options.port);
    const stopTicking = startTicking(deps, background.run);
    return {
      url: urlOf(options, port),
      local_url: local?.url ?? urlOf(options, port),
      port,
      async close() {
        const localClosed = local === null ? null : local.close();
        stopTicking();
        deps.wake.close();
        deps.logs.close();
        deps.watch.close();
        await close();
        await background.settled();
        await localClosed;
        await db.close();
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function sha256(data: Uint8Array): Promise<string> {
  return createHash('sha256').update(data).digest('hex');
}

/** The first tick at once: it finds what the last process left. Then one after the other, however long they take. */
function startTicking({ brain, settings, log }: Deps, run: (work: () => Promise<void>) => void): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | null = null;
  async function tick(): Promise<void> {
    try {
      await brain.tick();
    } catch (error) {
      log({ level: 'error', message: 'A tick failed; the next one goes on.', error: String(error) });
    }
    if (!stopped) timer = setTimeout(() => run(tick), settings.tick_ms);
  }
  run(tick);
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
  };
}

/** Work that no request waits for, but the end of the process does. */
function createBackground(log: Log) {
  const running = new Set<Promise<void>>();
  return {
    run(work: () => Promise<void>): void {
      const done = work()
        .catch((error: unknown) =>
          log({ level: 'error', message: 'Background work failed.', error: String(error) }),
        )
        .finally(() => running.delete(done));
      running.add(done);
    },
    async settled(): Promise<void> {
      await Promise.all(running);
    },
  };
}
