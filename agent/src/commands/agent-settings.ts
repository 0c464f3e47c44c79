import { availableParallelism, hostname } from 'node:os';
import { resolve } from 'node:path';
import { agentNameSchema } from '@planfleet/shared-types';
import { usageError } from '../client/cli-error.ts';
import { parseDuration } from '../client/parse-duration.ts';
import { readLabels } from '../client/read-labels.ts';
import type { Terminal } from '../client/terminal.ts';

/** Options that `agent` and `up` share. */
export interface AgentOptions {
  name?: string;
  sharedDir?: string;
  slots?: number;
  labels?: string;
  grace?: string;
  secrets?: string;
  logCap?: number;
}

export interface AgentSettings {
  readonly name: string;
  readonly shared_dir?: string;
  readonly slots: number;
  readonly labels: string[];
  readonly grace_ms: number;
  readonly secrets_file?: string;
  readonly log_cap?: number;
}

export function readAgentSettings(options: AgentOptions, terminal: Terminal): AgentSettings {
  const name = options.name ?? safeAgentName(hostname());
  const checked = agentNameSchema.safeParse(name);
  if (!checked.success)
    throw usageError(`--name "${name}": ${checked.error.issues[0]?.message ?? 'not allowed'}`);
  return {
    name,
    ...(options.sharedDir === undefined ? {} : { shared_dir: resolve(terminal.cwd, options.sharedDir) }),
    slots: options.slots ?? availableParallelism(),
    labels: readLabels('--labels', [options.labels ?? '']),
    grace_ms: parseDuration(options.grace ?? '60s', '--grace'),
    ...(options.secrets === undefined ? {} : { secrets_file: resolve(terminal.cwd, options.secrets) }),
    ...(options.logCap === undefined ? {} : { log_cap: options.logCap * 1_000_000 }),
  };
}

/** Who asks to see a unit must not get an agent that runs. */
export function requireInstall(options: { print?: boolean; now?: boolean; user?: boolean }): void {
  for (const name of ['print', 'now', 'user'] as const)
    if (options[name] === true)
      throw usageError(`--${name} goes with --install`, `planfleet agent --install --${name}`);
}

/** The host name as the name of an agent, whatever an administrator made of it. */
export function safeAgentName(host: string): string {
  const name = host
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63);
  return name === '' ? 'machine' : name;
}
