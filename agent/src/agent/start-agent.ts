import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AttemptResult, AttemptRunner } from '../exec/attempt-order.ts';
import type { Guardian } from '../exec/guardian.ts';
import { createControlPlaneClient } from '../http/control-plane-client.ts';
import { type AgentDeps, systemDeps } from './agent-deps.ts';
import { AgentLife } from './agent-life.ts';
import type { AgentOptions, ExitReason, RunningAgent } from './agent-options.ts';
import { runClaimLoop } from './claim-loop.ts';
import { runCutOffWatch } from './cut-off-watch.ts';
import { runDelivery } from './deliver-reports.ts';
import { Departure } from './departure.ts';
import { runHeartbeatLoop } from './heartbeat-loop.ts';
import { runInternalCycle } from './internal-cycle.ts';
import { LogStreamer } from './log-streamer.ts';
import { chunkFolder, copyFolder } from './outbox-log.ts';
import { readIdentity } from './read-identity.ts';
import { registerAgent } from './register-agent.ts';
import { runLogStream } from './stream-logs.ts';

/** A week of training prints less; what prints more is rarely read. */
const DEFAULT_LOG_CAP = 64_000_000;

const LOOPS = [
  runClaimLoop,
  runHeartbeatLoop,
  runDelivery,
  runCutOffWatch,
  runInternalCycle,
  runLogStream,
] as const;

/** Starts an agent. It runs until it is drained or stopped, or until the control plane ends it. */
export function startAgent(options: AgentOptions, deps: AgentDeps = systemDeps()): RunningAgent {
  const departure = new Departure(options, deps);
  const done = liveOnce(options, deps, departure).catch(
    (error: unknown): ExitReason => ({
      kind: 'failed',
      message: error instanceof Error ? error.message : String(error),
    }),
  );
  return { done, drain: () => departure.drain(), stop: () => departure.stop() };
}

async function liveOnce(options: AgentOptions, deps: AgentDeps, departure: Departure): Promise<ExitReason> {
  const startedAt = deps.clock.now();
  await mkdir(options.data, { recursive: true });
  const unlock = await deps.lockHome(options.data);
  if (unlock === null) {
    return {
      kind: 'locked',
      message: `Another agent runs with the state directory ${options.data}; stop it, or give this one a directory of its own`,
    };
  }
  try {
    return await liveLocked(options, deps, departure, startedAt);
  } finally {
    await unlock();
  }
}

async function liveLocked(
  options: AgentOptions,
  deps: AgentDeps,
  departure: Departure,
  startedAt: number,
): Promise<ExitReason> {
  const agentId = await readIdentity(options.data, 'agent.id', deps.randomness);
  const controlPlane = createControlPlaneClient({ ...options, ...deps });
  const outboxFolder = join(options.data, 'outbox');
  const logs = new LogStreamer();
  const runner = deps.createRunner({
    clock: deps.clock,
    timers: deps.timers,
    randomness: deps.randomness,
    blobs: controlPlane,
    logs,
    log_cap: options.log_cap ?? DEFAULT_LOG_CAP,
    secrets_file: options.secrets_file ?? join(options.data, 'secrets.env'),
    data: options.data,
    plans: join(options.shared_dir ?? options.data, 'plans'),
    plans_are_shared: options.shared_dir !== undefined,
    chunks: chunkFolder(outboxFolder),
    copies: copyFolder(outboxFolder),
    agent_id: agentId,
    log: options.log,
  });
  await endLeftovers(options, runner);
  const guardian = options.shared_dir === undefined ? null : startGuardian(options, deps, agentId);
  const outboxLog = await deps.openOutboxLog(outboxFolder);
  const left = await outboxLog.load();

  const registered = await registerAgent(
    {
      options,
      deps,
      controlPlane,
      started_at: startedAt,
      storage: await nameStorage(options, deps, agentId),
      have: left.map(({ report }) => ({ stage: report.stage, ordinal: report.ordinal, lease: report.lease })),
    },
    departure.beforeStart,
  );
  if ('kind' in registered) {
    await outboxLog.close();
    guardian?.dismiss();
    return registered;
  }
  options.log({
    level: 'info',
    event: 'registered',
    message: `Registered as ${options.name} with ${options.slots} slots at ${options.url}`,
  });
  const life = new AgentLife({ options, deps, controlPlane, runner, logs, outboxLog, session: registered });
  const reason = await liveRegistered(life, departure, left);
  // What setsid took out of its group outlives even a task that succeeded, but not the agent.
  await endLeftovers(options, runner);
  guardian?.dismiss();
  return sayEnd(options, reason);
}

/** Runs the loops until something ends this life. */
async function liveRegistered(
  life: AgentLife,
  departure: Departure,
  left: readonly AttemptResult[],
): Promise<ExitReason> {
  life.outbox.takeOver(left);
  for (const entry of left) life.book.hold(entry.report);
  const loops = LOOPS.map((loop) =>
    loop(life).catch((error: unknown) => {
      life.finish({ kind: 'failed', message: `${loop.name}: ${String(error)}` });
    }),
  );
  departure.attach(life);
  const reason = await life.over;
  await departure.leave(life, reason);
  life.endLoops();
  await Promise.all(loops);
  await life.outbox.close();
  return reason;
}

function sayEnd(options: AgentOptions, reason: ExitReason): ExitReason {
  options.log({
    level: reason.kind === 'drained' || reason.kind === 'stopped' ? 'info' : 'error',
    event: 'ended',
    message: reason.message,
  });
  return reason;
}

/** Agents with the same name of their storage see the same files. */
async function nameStorage(options: AgentOptions, deps: AgentDeps, agentId: string): Promise<string> {
  if (options.shared_dir === undefined) return `agent:${agentId}`;
  return `shared:${await readIdentity(options.shared_dir, '.planfleet.id', deps.randomness)}`;
}

function startGuardian(options: AgentOptions, deps: AgentDeps, agentId: string): Guardian {
  return deps.startGuardian(options.data, `${agentId}-`, (message) =>
    options.log({ level: 'warn', event: 'guardian', message }),
  );
}

async function endLeftovers(options: AgentOptions, runner: AttemptRunner): Promise<void> {
  const ended = await runner.endLeftovers();
  if (ended === 0) return;
  options.log({
    level: 'warn',
    event: 'leftovers',
    message: `Ended ${ended} processes that tasks had left running`,
  });
}
