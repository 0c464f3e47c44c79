import { formatTaskId } from '@planfleet/shared-types';
import { type Attempt, AttemptError } from './attempt.ts';
import { renderOrFail } from './render-or-fail.ts';

/** What npm adds for its scripts; it speaks of the agent's clone, and an `npm ci` in a task would heed it. */
const NPMS = /^(npm_|INIT_CWD$)/;
/** Folders that npm puts in front of PATH: commands of the clone would hide those of the machine. */
const NPM_PATH = /(^|\/)node_modules\/(\.bin|.*\/node-gyp-bin)\/?$/;

/**
 * The environment of the agent without what is for the agent alone: its secrets, and what npm or npx added
 * when they started it.
 */
export function inheritedEnvironment(own: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || name.startsWith('PLANFLEET_') || NPMS.test(name)) continue;
    env[name] = name === 'PATH' ? dropNpmFolders(value) : value;
  }
  return env;
}

function dropNpmFolders(path: string): string {
  return path
    .split(':')
    .filter((folder) => !NPM_PATH.test(folder))
    .join(':');
}

/** The agent's own environment without its secrets, the plan's `env` and `secrets`, and what planfleet tells a task. */
export function buildEnvironment(
  attempt: Attempt,
  marker: string,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> {
  const { spec, task } = attempt;
  const env = inheritedEnvironment();
  for (const [name, template] of Object.entries(spec.env)) {
    const value = renderOrFail(template, attempt.values, 'text');
    if (/[=\0]/.test(name) || name === '' || value.includes('\0')) {
      throw new AttemptError('definition', `The environment variable ${JSON.stringify(name)} cannot be set`);
    }
    env[name] = value;
  }
  return {
    ...env,
    ...secrets,
    PLANFLEET_BATCH_ID: spec.batch_id,
    PLANFLEET_TASK: formatTaskId({ batch_id: spec.batch_id, stage_key: spec.key, ordinal: task.ordinal }),
    PLANFLEET_ATTEMPT: String(task.attempt),
    PLANFLEET_BATCH_PATH: attempt.batch_path,
    PLANFLEET_PLAN_PATH: attempt.plan_path,
    PLANFLEET_MARKER: marker,
  };
}
