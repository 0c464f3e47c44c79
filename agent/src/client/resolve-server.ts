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

/** Which of the places it was found in, for people who wonder. */
export interface LocatedServer extends Server {
  readonly url_from: string;
  readonly token_from: string | null;
}

interface Flags {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
}

/**
 * Address and token: flags, then the environment, then the config file, then what `up` or `serve` on
 * this machine left for its user. A stored token is only sent to the server it was stored for; a
 * mistyped --url must not hand it to a stranger.
 */
export async function resolveServer(flags: Flags, terminal: Terminal): Promise<Server> {
  const { url, token } = await locateServer(flags, terminal);
  return { url, token };
}

export async function locateServer(flags: Flags, terminal: Terminal): Promise<LocatedServer> {
  const { env } = terminal;
  const config = await readConfig(terminal);
  const file = configFile(env);
  const data = config.data ?? defaultDataFolder(env);
  const local = await readLocalLogin(data);
  const [text, url_from] = firstOf(
    [flags.url, '--url'],
    [env['PLANFLEET_URL'], 'PLANFLEET_URL'],
    [config.url, file],
    [local?.url, `the login of this machine's own control plane in ${data}`],
  ) ?? [DEFAULT_URL, 'nothing is configured'];
  const url = parseServerUrl(text);
  const [token, token_from] = firstOf(
    [flags.token, '--token'],
    [env['PLANFLEET_TOKEN'], 'PLANFLEET_TOKEN'],
    [config.url === undefined || sameServer(config.url, url) ? config.token : undefined, file],
    [local !== null && sameServer(local.url, url) ? local.token : undefined, data],
  ) ?? [null, null];
  return { url, url_from, token, token_from };
}

/** An empty text counts as none: `PLANFLEET_URL= planfleet status`. */
function firstOf(...candidates: readonly (readonly [string | undefined, string])[]) {
  for (const [value, from] of candidates) if (value) return [value, from] as const;
  return null;
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
