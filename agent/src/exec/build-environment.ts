import { formatTaskId } from '@planfleet/shared-types';
import { type Attempt, AttemptError } from './attempt.ts';
import { renderOrFail } from './render-or-fail.ts';

/** The agent's own environment without its token, the plan's `env`, and what planfleet tells a task. */
export function buildEnvironment(attempt: Attempt, marker: string): Record<string, string> {
  const { spec, task } = attempt;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && name !== 'PLANFLEET_TOKEN') env[name] = value;
  }
  for (const [name, template] of Object.entries(spec.env)) {
    const value = renderOrFail(template, attempt.values, 'text');
    if (/[=\0]/.test(name) || name === '' || value.includes('\0')) {
      throw new AttemptError('definition', `The environment variable ${JSON.stringify(name)} cannot be set`);
    }
    env[name] = value;
  }
  return {
    ...env,
    PLANFLEET_BATCH_ID: spec.batch_id,
    PLANFLEET_TASK: formatTaskId({ batch_id: spec.batch_id, stage_key: spec.key, ordinal: task.ordinal }),
    PLANFLEET_ATTEMPT: String(task.attempt),
    PLANFLEET_BATCH_PATH: attempt.batch_path,
    PLANFLEET_PLAN_PATH: attempt.plan_path,
    PLANFLEET_MARKER: marker,
  };
}
