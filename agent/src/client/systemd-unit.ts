import { usageError } from './cli-error.ts';

export interface AgentUnit {
  /** Name of the agent. */
  readonly name: string;
  /** Program and arguments, nothing secret among them: everybody on the machine can read those. */
  readonly command: readonly string[];
  readonly environment_file: string;
  readonly grace_ms: number;
  /** Of the machine, or of one user's session manager. */
  readonly scope: 'system' | 'user';
}

/**
 * Beyond the grace of a drain: ending what still runs takes up to 10 s, and the last reports have to be sent or
 * written down. systemd kills whatever is left afterwards.
 */
const STOP_MARGIN_S = 30;

/** The text of a systemd unit that keeps an agent running. */
export function buildAgentUnit(unit: AgentUnit): string {
  const { name, command, environment_file, grace_ms, scope } = unit;
  const lines = [
    '[Unit]',
    `Description=planfleet agent ${escapePercent(name)}`,
    // A user's manager does not know the targets of the machine.
    ...(scope === 'system' ? ['Wants=network-online.target', 'After=network-online.target'] : []),
    '# However often it ends, it is started again.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    `ExecStart=${command.map(quoteUnitWord).join(' ')}`,
    '# The token, in a file that only its owner can read.',
    `EnvironmentFile=${plainPath(environment_file)}`,
    'Restart=always',
    'RestartSec=10',
    '# SIGTERM to the agent alone: it drains, and ends the processes of its tasks itself.',
    'KillMode=mixed',
    `TimeoutStopSec=${Math.ceil(grace_ms / 1_000) + STOP_MARGIN_S}`,
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`,
    '',
  ];
  return lines.join('\n');
}

/** One word of ExecStart: systemd reads quotes, backslashes, `%` specifiers and `$` variables in it. */
export function quoteUnitWord(text: string): string {
  refuseControl(text);
  const escaped = text.replace(/[\\"]/g, '\\$&').replaceAll('$', '$$$$');
  return `"${escapePercent(escaped)}"`;
}

/** Read to the end of its line, without quotes; but with `%` specifiers and as a glob. */
function plainPath(path: string): string {
  refuseControl(path);
  return escapePercent(path.replace(/[*?[\]\\]/g, '\\$&'));
}

const escapePercent = (text: string) => text.replaceAll('%', '%%');

function refuseControl(text: string): void {
  if (/\p{Cc}/u.test(text))
    throw usageError(`${JSON.stringify(text)} has a control character and cannot stand in a unit`);
}

/** The text of an environment file, as systemd reads it. */
export function buildEnvironmentFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      refuseControl(value);
      return `${name}="${value.replace(/[\\"$`]/g, '\\$&')}"\n`;
    })
    .join('');
}
