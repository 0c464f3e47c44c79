import { join } from 'node:path';
import { type Attempt, AttemptError } from './attempt.ts';
import { bashArguments } from './bash-arguments.ts';
import { buildEnvironment } from './build-environment.ts';
import { describeExit } from './describe-exit.ts';
import { readTail } from './read-tail.ts';
import { renderOrFail } from './render-or-fail.ts';
import { shortenLog } from './shorten-log.ts';

/** Runs the command of the task and everything it starts to their end. */
export async function runCommand(attempt: Attempt): Promise<void> {
  const { shop, spec, task } = attempt;
  attempt.started_at = shop.clock.now();
  if (spec.command === null) return;
  const script = renderOrFail(spec.command, attempt.values, 'command');
  const logFile = join(attempt.batch_path, 'logs', `${spec.key}.${task.ordinal}.${task.attempt}.log`);
  const marker = `${shop.agent_id}-${shop.randomness.id()}`;
  const exit = await shop.processes.run({
    argv: await bashArguments(script, logFile.replace(/log$/, 'sh')),
    cwd: attempt.batch_path,
    env: buildEnvironment(attempt, marker),
    log_file: logFile,
    marker,
    timeout_ms: spec.timeout_ms,
    end: attempt.ending.signal,
    hurry: attempt.ending.hurry,
  });
  attempt.exit = exit;
  attempt.tail = await readTail(logFile);
  const problem = describeExit(exit, 'The command', spec.timeout_ms);
  if (problem !== null) throw new AttemptError(exit.timed_out ? 'timeout' : 'worker', problem);
  // A log that cannot be cut is only long.
  await shortenLog(logFile).catch(() => undefined);
}
