import { type Attempt, AttemptError } from './attempt.ts';
import { bashArguments } from './bash-arguments.ts';
import { buildEnvironment } from './build-environment.ts';
import { describeExit } from './describe-exit.ts';
import { groupItems } from './group-items.ts';
import { renderOrFail } from './render-or-fail.ts';
import { runGroup } from './run-group.ts';

/** Runs the command of the task, for each of its items, and everything it starts to their end. */
export async function runCommand(attempt: Attempt): Promise<void> {
  const { shop, spec } = attempt;
  attempt.started_at = shop.clock.now();
  if (spec.command === null || attempt.log === null) return;
  const logFile = attempt.log.file.file;
  const marker = `${shop.agent_id}-${shop.randomness.id()}`;
  const items = groupItems(attempt);
  const run = (timeout_ms: number | null) => runScript(attempt, { logFile, marker, timeout_ms });
  if (items === null) await run(spec.timeout_ms);
  else await runGroup(attempt, items, logFile, run);
}

interface ScriptRun {
  readonly logFile: string;
  readonly marker: string;
  readonly timeout_ms: number | null;
}

async function runScript(attempt: Attempt, { logFile, marker, timeout_ms }: ScriptRun): Promise<void> {
  const { shop, spec } = attempt;
  const script = renderOrFail(spec.command ?? '', attempt.values, 'command');
  const exit = await shop.processes.run({
    argv: await bashArguments(script, logFile.replace(/log$/, 'sh')),
    cwd: attempt.batch_path,
    env: buildEnvironment(attempt, marker, attempt.secrets),
    log_file: logFile,
    marker,
    timeout_ms,
    end: attempt.ending.signal,
    hurry: attempt.ending.hurry,
  });
  attempt.exit = exit;
  const problem = describeExit(exit, 'The command', spec.timeout_ms);
  if (problem !== null) throw new AttemptError(exit.timed_out ? 'timeout' : 'worker', problem);
}
