import { type Attempt, AttemptError } from './attempt.ts';
import { bashArguments } from './bash-arguments.ts';
import { buildEnvironment } from './build-environment.ts';
import { describeExit } from './describe-exit.ts';
import { renderOrFail } from './render-or-fail.ts';

/** Runs the command of the task and everything it starts to their end. */
export async function runCommand(attempt: Attempt): Promise<void> {
  const { shop, spec } = attempt;
  attempt.started_at = shop.clock.now();
  if (spec.command === null || attempt.log === null) return;
  const script = renderOrFail(spec.command, attempt.values, 'command');
  const logFile = attempt.log.file.file;
  const marker = `${shop.agent_id}-${shop.randomness.id()}`;
  const exit = await shop.processes.run({
    argv: await bashArguments(script, logFile.replace(/log$/, 'sh')),
    cwd: attempt.batch_path,
    env: buildEnvironment(attempt, marker, attempt.secrets),
    log_file: logFile,
    marker,
    timeout_ms: spec.timeout_ms,
    end: attempt.ending.signal,
    hurry: attempt.ending.hurry,
  });
  attempt.exit = exit;
  const problem = describeExit(exit, 'The command', spec.timeout_ms);
  if (problem !== null) throw new AttemptError(exit.timed_out ? 'timeout' : 'worker', problem);
}
