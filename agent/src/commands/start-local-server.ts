import { mkdir, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Scope } from '@planfleet/shared-types';
import { CliError, EXIT, usageError } from '../client/cli-error.ts';
import { configFile, defaultDataFolder } from '../client/config-folders.ts';
import { writeConfigIfNone, writeLocalLogin } from '../client/local-login.ts';
import { DEFAULT_PORT, isLoopback } from '../client/resolve-server.ts';
import type { Terminal } from '../client/terminal.ts';
import type { Log } from './create-log.ts';

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
  readonly data: string;
  /** Makes tokens without asking: whoever may read the signing key may do that. */
  sign(token: { subject: string; scopes: readonly Scope[]; agent?: string }): Promise<string>;
  close(): Promise<void>;
}

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
  const data =
    options.data === undefined ? defaultDataFolder(terminal.env) : resolve(terminal.cwd, options.data);
  await mkdir(data, { recursive: true, mode: 0o700 });
  const { signingKeyFile, signToken, startControlPlane } = await import('@planfleet/control-plane');
  const timing = readTiming(options, terminal);
  const server = await startControlPlane({
    data,
    host: options.host,
    port: options.port ?? DEFAULT_PORT,
    ...(tls === null ? {} : { tls }),
    ...timing,
    log,
  }).catch((error: unknown) => {
    throw explainStart(error, options);
  });
  try {
    const signingKey = await readFile(signingKeyFile(data), 'utf8');
    const sign: LocalServer['sign'] = async ({ scopes, ...rest }) =>
      (await signToken({ signing_key: signingKey, scopes: [...scopes], ...rest })).token;
    const token = await sign({
      subject: userInfo().username,
      scopes: ['submit', 'read', 'operate', 'admin'],
    });
    await writeLocalLogin(data, { url: server.url, token });
    const file = configFile(terminal.env);
    if (await writeConfigIfNone(file, data))
      log({ level: 'info', message: `${file} now names this control plane` });
    return { url: server.url, data, sign, close: () => server.close() };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function readTls(options: ControlPlaneCommandOptions, terminal: Terminal) {
  const { tlsCert, tlsKey } = options;
  if (tlsCert === undefined && tlsKey === undefined) return null;
  if (tlsCert === undefined || tlsKey === undefined)
    throw usageError('--tls-cert and --tls-key belong together', 'Both are PEM files.');
  const read = async (option: string, file: string) => {
    try {
      return await readFile(resolve(terminal.cwd, file), 'utf8');
    } catch (error) {
      throw usageError(`${option}: cannot read ${file}: ${(error as Error).message}`);
    }
  };
  return { cert: await read('--tls-cert', tlsCert), key: await read('--tls-key', tlsKey) };
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

function explainStart(error: unknown, { host, port }: ControlPlaneCommandOptions): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const place = `${host}:${port ?? DEFAULT_PORT}`;
  if (code === 'EADDRINUSE')
    return new CliError(EXIT.unreachable, `something listens on ${place} already`, {
      hint: 'Is planfleet up there already? `planfleet status` tells. Else choose another with --port.',
      cause: error,
    });
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL')
    return new CliError(EXIT.unreachable, `cannot listen on ${place}: ${(error as Error).message}`, {
      cause: error,
    });
  return error;
}
