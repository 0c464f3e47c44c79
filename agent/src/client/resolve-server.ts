import { readFile, stat } from 'node:fs/promises';
import * as z from 'zod';
import { usageError } from './cli-error.ts';
import { configFile, defaultDataFolder } from './config-folders.ts';
import { readLocalLogin } from './local-login.ts';
import type { Terminal } from './terminal.ts';

/** Where `up` and `serve` listen unless told otherwise. */
export const DEFAULT_PORT = 7654;
const DEFAULT_URL = `http://127.0.0.1:${DEFAULT_PORT}`;

/** `data` is the data folder of a control plane on this machine, whose own login is then used. */
const configSchema = z.strictObject({
  url: z.string().optional(),
  token: z.string().optional(),
  data: z.string().optional(),
});
type Config = z.infer<typeof configSchema>;

export interface Server {
  readonly url: string;
  /** Null: try without; the control plane says whether it wants one. */
  readonly token: string | null;
}

/**
 * Address and token: flags, then the environment, then the config file, then what `up` or `serve` on
 * this machine left for its user. A stored token is only sent to the server it was stored for; a
 * mistyped --url must not hand it to a stranger.
 */
export async function resolveServer(
  flags: { url?: string | undefined; token?: string | undefined },
  terminal: Terminal,
): Promise<Server> {
  const { env } = terminal;
  const config = await readConfig(terminal);
  const local = await readLocalLogin(config.data ?? defaultDataFolder(env));
  const url = flags.url || env['PLANFLEET_URL'] || config.url || local?.url || DEFAULT_URL;
  const address = parseServerUrl(url);
  const token = flags.token || env['PLANFLEET_TOKEN'];
  if (token) return { url: address, token };
  if (config.token !== undefined && (config.url === undefined || sameServer(config.url, address)))
    return { url: address, token: config.token };
  return { url: address, token: local !== null && sameServer(local.url, address) ? local.token : null };
}

async function readConfig(terminal: Terminal): Promise<Config> {
  const file = configFile(terminal.env);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    return {};
  }
  let parsed: z.ZodSafeParseResult<Config>;
  try {
    parsed = configSchema.safeParse(JSON.parse(text));
  } catch {
    throw usageError(`${file} is not valid JSON`, 'It looks like {"url": "https://...", "token": "..."}.');
  }
  if (!parsed.success)
    throw usageError(`${file}: ${z.prettifyError(parsed.error)}`, 'It takes "url", "token" and "data".');
  if (parsed.data.token !== undefined && ((await stat(file)).mode & 0o077) !== 0)
    terminal.err(`warning: others on this machine can read the token in ${file}; run: chmod 600 '${file}'`);
  return parsed.data;
}

function parseServerUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw usageError(`"${text}" is not an address`, `Write it like ${DEFAULT_URL}.`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw usageError(`"${text}" is not an http or https address`, `Write it like ${DEFAULT_URL}.`);
  return url.href.replace(/\/+$/, '');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Names of this machine are the same server when the port is. */
function sameServer(one: string, other: string): boolean {
  try {
    const [a, b] = [new URL(one), new URL(other)];
    if (a.protocol !== b.protocol || a.port !== b.port) return false;
    return a.hostname === b.hostname || (isLoopback(a.hostname) && isLoopback(b.hostname));
  } catch {
    return false;
  }
}
