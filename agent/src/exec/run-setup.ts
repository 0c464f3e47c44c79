import { createHash } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { type Attempt, AttemptError } from './attempt.ts';
import { bashArguments } from './bash-arguments.ts';
import { buildEnvironment } from './build-environment.ts';
import { describeExit } from './describe-exit.ts';
import { readTail } from './read-tail.ts';
import { renderOrFail } from './render-or-fail.ts';

/**
 * The lock is refreshed every 10 s; a holder that was silent for 60 s is dead, however busy its machine.
 * Retries go on for a day: `npm ci` or a model download of another agent may take hours, and a wait ends
 * with the attempt anyway.
 */
const LOCK = {
  stale: 60_000,
  update: 10_000,
  retries: { forever: true, factor: 1, minTimeout: 500, maxTimeout: 500 },
};

/** `## Setup`: once per machine and version of the plan, before its first task there. */
export async function runSetup(attempt: Attempt): Promise<void> {
  const { shop, spec } = attempt;
  if (spec.setup === null || spec.setup.trim() === '') return;
  const script = renderOrFail(spec.setup, attempt.values, 'command');
  const key = createHash('sha256').update(script).digest('hex').slice(0, 16);
  const folder = join(attempt.plan_path, '.planfleet');
  const machine = hostname().replace(/[^A-Za-z0-9.-]/g, '_');
  const marker = join(folder, `setup-${key}.${machine}.done`);
  if (shop.made.has(marker)) return;
  if (!(await exists(marker))) {
    await shop.shared.run(`setup ${marker}`, attempt.ending.signal, async (signal) => {
      await mkdir(folder, { recursive: true });
      await underLock(join(folder, 'setup.lock'), folder, signal, async () => {
        if (await exists(marker)) return;
        await runScript(attempt, script, join(folder, `setup-${key}.${machine}.log`), signal);
        await writeFile(marker, '');
      });
    });
  }
  shop.made.add(marker);
}

async function runScript(
  attempt: Attempt,
  script: string,
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  const { shop, plan_path } = attempt;
  const marker = `${shop.agent_id}-${shop.randomness.id()}`;
  const exit = await shop.processes.run({
    argv: await bashArguments(script, `${logFile}.sh`),
    cwd: plan_path,
    env: buildEnvironment(attempt, marker),
    log_file: logFile,
    marker,
    timeout_ms: null,
    end: signal,
    // A Setup that nobody waits for any more has nothing to write down.
    hurry: signal,
  });
  signal.throwIfAborted();
  const problem = describeExit(exit, 'The Setup of the plan', null);
  if (problem !== null) throw new AttemptError('worker', problem, { tail: await readTail(logFile) });
}

async function underLock(
  lockFile: string,
  folder: string,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  const acquired = lock(folder, { ...LOCK, lockfilePath: lockFile, onCompromised: () => undefined });
  const gaveUp = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  let release: () => Promise<void>;
  try {
    release = await Promise.race([acquired, gaveUp]);
  } catch (error) {
    // It may still come when nobody wants it.
    void acquired.then((late) => late()).catch(() => undefined);
    throw error;
  }
  try {
    await work();
  } finally {
    await release().catch(() => undefined);
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => null)) !== null;
}
