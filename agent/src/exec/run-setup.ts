import { createHash } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { wait } from '../agent/wait.ts';
import { type Attempt, AttemptError } from './attempt.ts';
import { bashArguments } from './bash-arguments.ts';
import { buildEnvironment } from './build-environment.ts';
import { describeExit } from './describe-exit.ts';
import { renderOrFail } from './render-or-fail.ts';

/** The lock is refreshed every 10 s; a holder that was silent for 60 s is dead, however busy its machine. */
const LOCK = { stale: 60_000, update: 10_000 };
/** A Setup takes seconds to hours: half a second more for those who wait is not noticed. */
const LOCK_RETRY_MS = 500;

/** `## Setup`: once per machine and version of the plan, before its first task there. */
export async function runSetup(attempt: Attempt): Promise<void> {
  const { shop, spec } = attempt;
  if (spec.setup === null || spec.setup.trim() === '') return;
  const script = renderOrFail(spec.setup, attempt.values, 'command');
  const key = createHash('sha256').update(script).digest('hex').slice(0, 16);
  const folder = join(attempt.plan_path, '.planfleet');
  const machine = hostname().replace(/[^A-Za-z0-9.-]/g, '_');
  const marker = join(folder, `setup-${key}.${machine}.done`);
  if (!(await exists(marker))) {
    await shop.shared.run(`setup ${marker}`, attempt.ending.signal, async (signal) => {
      await mkdir(folder, { recursive: true });
      await underLock(attempt, folder, signal, async () => {
        if (await exists(marker)) return;
        await runScript(attempt, script, join(folder, `setup-${key}.${machine}.sh`), signal);
        await writeFile(marker, '');
      });
    });
  }
}

async function runScript(
  attempt: Attempt,
  script: string,
  scriptFile: string,
  signal: AbortSignal,
): Promise<void> {
  const { shop, plan_path, log } = attempt;
  if (log === null) return;
  const marker = `${shop.agent_id}-${shop.randomness.id()}`;
  const exit = await shop.processes.run({
    argv: await bashArguments(script, scriptFile),
    cwd: plan_path,
    env: buildEnvironment(attempt, marker, attempt.setup_secrets),
    log_file: log.file.file,
    marker,
    timeout_ms: null,
    end: signal,
    // A Setup that nobody waits for any more has nothing to write down.
    hurry: signal,
  });
  signal.throwIfAborted();
  const problem = describeExit(exit, 'The Setup of the plan', null);
  if (problem === null) return;
  // For the others that wait for this Setup: their own logs do not have its output.
  throw new AttemptError('worker', problem, { tail: await log.file.tail() });
}

/** Across agents that share the folder. Alone on it, an agent has `SharedWork`, and no stale lock to wait for. */
async function underLock(attempt: Attempt, folder: string, signal: AbortSignal, work: () => Promise<void>) {
  if (!attempt.shop.plans_are_shared) return work();
  const release = await acquireLock(attempt, folder, signal);
  try {
    await work();
  } finally {
    await release().catch(() => undefined);
  }
}

async function acquireLock(
  attempt: Attempt,
  folder: string,
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await lock(folder, {
        ...LOCK,
        lockfilePath: join(folder, 'setup.lock'),
        onCompromised: () => undefined,
      });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
    }
    await wait(attempt.shop.timers, LOCK_RETRY_MS, signal);
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}
