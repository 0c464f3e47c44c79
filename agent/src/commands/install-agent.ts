import { execFile } from 'node:child_process';
import { mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CliError, EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { configFile, defaultDataFolder } from '../client/config-folders.ts';
import { pathKind } from '../client/list-folder.ts';
import { writePrivateFile } from '../client/local-login.ts';
import { resolveServer } from '../client/resolve-server.ts';
import { buildAgentUnit, buildEnvironmentFile } from '../client/systemd-unit.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { inheritedEnvironment } from '../exec/build-environment.ts';
import { type AgentOptions, type AgentSettings, readAgentSettings } from './agent-settings.ts';
import { hideToken, type ServerOptions } from './connect.ts';

export interface InstallOptions extends ServerOptions, AgentOptions {
  data?: string;
  install?: boolean;
  uninstall?: boolean;
  print?: boolean;
  now?: boolean;
  user?: boolean;
}

/** Where the unit of an agent is, and which systemd runs it. */
interface Place {
  readonly scope: 'system' | 'user';
  readonly service: string;
  readonly unit: string;
  readonly environment: string;
  readonly data: string;
  readonly systemctl: readonly string[];
}

const run = promisify(execFile);

/** Writes a systemd unit for this agent, or only prints it. */
export async function installAgent(options: InstallOptions, terminal: Terminal): Promise<ExitCode> {
  requireLinux();
  hideToken(options);
  const settings = readAgentSettings(options, terminal);
  const place = placeOf(options, terminal);
  const unit = buildAgentUnit({
    name: settings.name,
    command: await agentCommand(options, settings, place, terminal),
    environment_file: place.environment,
    grace_ms: settings.grace_ms,
    scope: place.scope,
  });
  if (options.print === true) {
    if (options.json) printJson(terminal, { ...place, text: unit });
    else terminal.out(unit.trimEnd());
    return EXIT.done;
  }
  const { token } = await resolveServer(options, terminal);
  if (token === null)
    throw new CliError(EXIT.unreachable, 'an agent needs a token', {
      hint: `Make one on the control plane: planfleet tokens create --scope agent --agent ${settings.name}`,
    });
  await writePrivateFile(place.environment, buildEnvironmentFile(environmentOf(token, terminal)));
  await mkdir(dirname(place.unit), { recursive: true });
  await writeFile(place.unit, unit);
  await mkdir(place.data, { recursive: true, mode: 0o700 });
  if (options.now === true) await enable(place);
  if (options.json) printJson(terminal, { ...place, enabled: options.now === true });
  else sayInstalled(place, options.now === true, terminal);
  return EXIT.done;
}

/** Ends the agent and takes its unit and token away; what it keeps of its tasks stays. */
export async function uninstallAgent(options: InstallOptions, terminal: Terminal): Promise<ExitCode> {
  requireLinux();
  const place = placeOf(options, terminal);
  if ((await pathKind(place.unit)) === null)
    throw usageError(
      `there is no unit ${place.unit}`,
      options.name === undefined ? 'One that was installed with --name is removed with the same.' : undefined,
    );
  const [program = '', ...args] = place.systemctl;
  const failed = await run(program, [...args, 'disable', '--now', place.service]).then(
    () => null,
    (error: unknown) => describeFailure(error),
  );
  await rm(place.unit);
  await rm(place.environment, { force: true });
  if (failed === null) await run(program, [...args, 'daemon-reload']).catch(() => undefined);
  else terminal.err(`warning: it may still run; systemctl did not stop it: ${failed}`);
  if (options.json) printJson(terminal, { ...place, stopped: failed === null });
  else {
    terminal.out(`removed ${place.unit}`);
    terminal.out(`  its data stays in ${place.data}`);
  }
  return EXIT.done;
}

function requireLinux(): void {
  if (process.platform !== 'linux')
    throw usageError(
      'units are for systemd, which this system does not have',
      'Agents run on Linux (WSL2 too).',
    );
}

function placeOf(options: InstallOptions, terminal: Terminal): Place {
  const { env, cwd } = terminal;
  const scope = userInfo().uid === 0 && options.user !== true ? 'system' : 'user';
  const service = `planfleet-agent${options.name === undefined ? '' : `-${options.name}`}.service`;
  const config = scope === 'system' ? '/etc/planfleet' : dirname(configFile(env));
  const units = scope === 'system' ? '/etc/systemd/system' : join(dirname(config), 'systemd', 'user');
  const data = scope === 'system' ? '/var/lib/planfleet/agent' : join(defaultDataFolder(env), 'agent');
  return {
    scope,
    service,
    unit: join(units, service),
    environment: join(config, service.replace(/service$/, 'env')),
    data: options.data === undefined ? data : resolve(cwd, options.data),
    systemctl: ['systemctl', ...(scope === 'user' ? ['--user'] : [])],
  };
}

async function agentCommand(
  options: InstallOptions,
  settings: AgentSettings,
  place: Place,
  terminal: Terminal,
): Promise<string[]> {
  const { url } = await resolveServer(options, terminal);
  // The file behind a link of npm: that may go with the next `npx`.
  const binary = await realpath(process.argv[1] ?? '');
  return [
    ...[process.execPath, binary, 'agent', '--url', url, '--name', settings.name, '--data', place.data],
    ...['--slots', String(settings.slots), '--grace', `${settings.grace_ms / 1_000}s`],
    ...(settings.labels.length === 0 ? [] : ['--labels', settings.labels.join(',')]),
    ...(settings.shared_dir === undefined ? [] : ['--shared-dir', settings.shared_dir]),
  ];
}

/** systemd has a short PATH of its own; tasks should find the programs that the one who installs finds. */
function environmentOf(token: string, { env, cwd }: Terminal): Record<string, string> {
  const { PATH } = inheritedEnvironment({ PATH: env['PATH'] });
  const authority = env['NODE_EXTRA_CA_CERTS'];
  return {
    PLANFLEET_TOKEN: token,
    ...(PATH === undefined ? {} : { PATH }),
    ...(authority ? { NODE_EXTRA_CA_CERTS: resolve(cwd, authority) } : {}),
  };
}

async function enable({ systemctl, service, unit }: Place): Promise<void> {
  const [program = '', ...args] = systemctl;
  try {
    await run(program, [...args, 'daemon-reload']);
    await run(program, [...args, 'enable', service]);
    // Not `enable --now`: one that runs already takes the new settings.
    await run(program, [...args, 'restart', service]);
  } catch (error) {
    throw new CliError(EXIT.unreachable, `${unit} is written, but not started: ${describeFailure(error)}`, {
      hint: `Where systemd runs: ${systemctl.join(' ')} daemon-reload && ${systemctl.join(' ')} enable --now ${service}`,
      cause: error,
    });
  }
}

function describeFailure(error: unknown): string {
  const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
  if (code === 'ENOENT') return 'there is no systemctl on this machine';
  return (stderr ?? '').trim() || message;
}

function sayInstalled(place: Place, enabled: boolean, terminal: Terminal): void {
  const { systemctl, service, scope, unit, environment, data } = place;
  const control = systemctl.join(' ');
  const user = scope === 'user' ? '--user ' : '';
  terminal.out(`${terminal.paint.green(enabled ? 'installed and started' : 'installed')} ${unit}`);
  terminal.out(`  token  ${environment} (readable by you alone)`);
  terminal.out(`  data   ${data}`);
  if (!enabled) {
    terminal.out('Start it, now and at each boot:');
    terminal.out(`  ${control} daemon-reload && ${control} enable --now ${service}`);
  }
  if (scope === 'user') {
    terminal.out('So that it runs when you are not logged in:');
    terminal.out(`  loginctl enable-linger ${userInfo().username}`);
  } else terminal.err('warning: its tasks run as root; installed by another user, they run as that user');
  terminal.out(`What it does:  journalctl ${user}-u ${service} -f`);
}
