import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { CliError, EXIT, usageError } from '../client/cli-error.ts';
import { configFile, defaultDataFolder } from '../client/config-folders.ts';
import { readLocalLogin, writeConfigIfNone } from '../client/local-login.ts';
import { makeDataFolder } from '../client/make-data-folder.ts';
import { DEFAULT_PORT, isLoopback } from '../client/resolve-server.ts';
import type { Terminal } from '../client/terminal.ts';
import type { Log } from './create-log.ts';
import { isAccepted, openLocalTokens } from './local-tokens.ts';
import { readTls } from './read-tls.ts';

/** Options that `up` and `serve` share. */
export interface ControlPlaneCommandOptions {
  host: string;
  port?: number;
  data?: string;
  tlsCert?: string;
  tlsKey?: string;
  insecureHttp?: boolean;
  leaseMs?: number;
  tickMs?: number;
  pollMs?: number;
  json?: boolean;
}

export interface LocalServer {
  readonly url: string;
  /** For programs on this machine. */
  readonly local_url: string;
  /** Where other machines find it. */
  readonly public_url: string;
  readonly data: string;
  readonly tls: boolean;
  /** A token for machines that join, the same at every start; null: for agents of any name. */
  agentToken(name: string | null): Promise<string>;
  close(): Promise<void>;
}

/** Long enough for one request. */
const BOOTSTRAP_S = 60;

/** Starts the control plane in this process, and leaves its user a login that the CLI finds. */
export async function startLocalServer(
  options: ControlPlaneCommandOptions,
  terminal: Terminal,
  log: Log,
): Promise<LocalServer> {
  const tls = await readTls(options, terminal);
  if (tls === null && !isLoopback(options.host) && options.insecureHttp !== true)
    throw usageError(
      `without TLS, everybody on the way to ${options.host} could read tokens and results`,
      'Give --tls-cert and --tls-key, or say --insecure-http where the network itself is private (a VPN).',
    );
  const data = dataFolderOf(options, terminal);
  await makeDataFolder(data);
  const { signingKeyFile, signToken, startControlPlane } = await import('@planfleet/control-plane');
  const timing = readTiming(options, terminal);
  const server = await startControlPlane({
    data,
    host: options.host,
    port: options.port ?? DEFAULT_PORT,
    ...(tls === null ? {} : { tls }),
    ...timing,
    log,
  }).catch(async (error: unknown) => {
    throw await explainStart(error, options, data);
  });
  try {
    const signAdmin = async () =>
      (
        await signToken({
          signing_key: await readFile(signingKeyFile(data), 'utf8'),
          subject: 'local start',
          scopes: ['admin'],
          expires_in_s: BOOTSTRAP_S,
        })
      ).token;
    const tokens = await openLocalTokens({ url: server.local_url, data, signAdmin });
    const file = configFile(terminal.env);
    if (await writeConfigIfNone(file, data))
      log({ level: 'info', message: `${file} now names this control plane` });
    return {
      url: server.url,
      local_url: server.local_url,
      public_url: reachableUrl(server.url, options.host, tls?.name ?? null),
      data,
      tls: tls !== null,
      agentToken: tokens.agentToken,
      close: () => server.close(),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

export function dataFolderOf(options: { data?: string }, terminal: Terminal): string {
  return options.data === undefined ? defaultDataFolder(terminal.env) : resolve(terminal.cwd, options.data);
}

/** Where other machines find this one when it listens on all its addresses: by the name that the certificate is for. */
export function reachableUrl(url: string, host: string, certified: string | null = null): string {
  const address = new URL(url);
  if (host === '0.0.0.0' || host === '::') address.hostname = certified ?? hostname();
  return address.href.replace(/\/$/, '');
}

/** A control plane that runs with this data folder: its address, or null. */
export async function findRunning(data: string): Promise<string | null> {
  const login = await readLocalLogin(data);
  // Its own token is accepted by nobody else, so another program on that port is not taken for it.
  return login !== null && (await isAccepted(login.url, login.token)) ? login.url : null;
}

export function alreadyUp(url: string, data: string): CliError {
  return new CliError(EXIT.unreachable, `planfleet is up already at ${url}`, {
    code: 'already_up',
    hint: `\`planfleet status\` shows it; its data is in ${data}. A second one needs its own --data and --port.`,
  });
}

/** Tests shorten these; people have no reason to. */
function readTiming(options: ControlPlaneCommandOptions, { env }: Terminal) {
  const read = (value: number | undefined, variable: string) => {
    const number = value ?? Number(env[variable] || Number.NaN);
    return Number.isInteger(number) && number > 0 ? number : undefined;
  };
  const lease = read(options.leaseMs, 'PLANFLEET_LEASE_MS');
  const tick = read(options.tickMs, 'PLANFLEET_TICK_MS');
  const poll = read(options.pollMs, 'PLANFLEET_POLL_MS');
  return {
    ...(lease === undefined ? {} : { lease_ms: lease }),
    ...(tick === undefined ? {} : { tick_ms: tick }),
    ...(poll === undefined ? {} : { poll_ms: poll }),
  };
}

async function explainStart(
  error: unknown,
  { host, port }: ControlPlaneCommandOptions,
  data: string,
): Promise<unknown> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `${host}:${port ?? DEFAULT_PORT}`;
  if (code === 'EADDRINUSE') {
    const running = await findRunning(data);
    if (running !== null) return alreadyUp(running, data);
    return new CliError(EXIT.unreachable, `something listens on ${place} already`, {
      code: 'port_in_use',
      hint: 'Choose another with --port, or end what listens there (`ss -ltnp` names it).',
      cause: error,
    });
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
    return new CliError(EXIT.unreachable, `cannot listen on ${place}: ${(error as Error).message}`, {
      hint:
        code === 'EACCES'
          ? 'Ports below 1024 need more rights; choose a higher one with --port.'
          : 'This machine has no such address; --host 0.0.0.0 listens on all it has.',
      cause: error,
    });
  return error;
}
