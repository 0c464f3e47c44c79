import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { agentViewSchema, pageSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { ApiClient, RefusedError } from '../api-client.ts';
import { CliError } from '../cli-error.ts';
import { configFile } from '../config-folders.ts';
import { formatDuration } from '../parse-duration.ts';
import { printableLine } from '../printable-text.ts';
import { DEFAULT_PORT, type LocatedServer, locateServer } from '../resolve-server.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';
import { type Finding, failed, info, ok, warning } from './finding.ts';

/** Whether the CLI reaches a control plane, as whom, and what is behind it. */
export async function checkServer(
  flags: { url?: string | undefined; token?: string | undefined },
  terminal: Terminal,
): Promise<Finding[]> {
  const file = configFile(terminal.env);
  const findings: Finding[] = [];
  let server: LocatedServer;
  try {
    // What is wrong with the modes of the file is a finding of its own.
    server = await locateServer(flags, { ...terminal, err: () => {} });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [failed('configuration', error.message, error.hint ?? 'Correct it.')];
  }
  findings.push(await checkConfigFile(file));
  const reached = await reach(server);
  findings.push(...reached.findings);
  if (reached.ok) findings.push(...(await checkToken(server)));
  return findings;
}

async function checkConfigFile(file: string): Promise<Finding> {
  const found = await stat(file).catch(() => null);
  if (found === null) return info('config file', `none at ${file}`);
  if ((found.mode & 0o077) === 0) return ok('config file', file);
  return warning('config file', `others on this machine can read ${file}`, `chmod 600 '${file}'`);
}

/** Below this, tokens and times of tasks are right; leases do not depend on it. */
const CLOCK_WARN_MS = 30_000;
const CLOCK_FAIL_MS = 5 * 60_000;
const REQUEST_MS = 10_000;

async function reach(server: LocatedServer): Promise<{ ok: boolean; findings: Finding[] }> {
  const name = 'control plane';
  const place = `${server.url} (from ${server.url_from})`;
  const began = performance.now();
  try {
    const signal = AbortSignal.timeout(REQUEST_MS);
    const client = new ApiClient({ url: server.url, token: null });
    const response = await client.request('GET', '/readyz', { signal });
    await response.body?.cancel();
    const took = performance.now() - began;
    const found = ok(name, `${place} answers in ${Math.round(took)} ms`);
    const date = Date.parse(response.headers.get('date') ?? '');
    return { ok: true, findings: [found, checkClock(Date.now() - took / 2 - date)] };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    if (!(error instanceof CliError) && !timedOut) throw error;
    const message = timedOut ? `no answer in ${REQUEST_MS / 1_000} s` : error.message;
    const hint = error instanceof CliError ? error.hint : undefined;
    // Nobody has said where one is, so that there is none is no fault.
    if (server.url_from === 'nothing is configured')
      return {
        ok: false,
        findings: [warning(name, 'none is configured, and none runs here', 'Start one: planfleet up')],
      };
    return { ok: false, findings: [failed(name, `${place}: ${message}`, hint ?? 'Is the address right?')] };
  }
}

/** `skewMs`: how far this clock is ahead of the control plane's, which tells whole seconds. */
export function checkClock(skewMs: number): Finding {
  const name = 'clock';
  if (Number.isNaN(skewMs)) return info(name, 'the control plane does not say its time');
  const off = Math.max(0, Math.abs(skewMs) - 1_000);
  if (off < 1_000) return ok(name, 'as that of the control plane');
  const detail = `${formatDuration(off)} ${skewMs > 0 ? 'ahead of' : 'behind'} the control plane`;
  if (off < CLOCK_WARN_MS) return ok(name, detail);
  const hint = 'Set it, best by NTP: timedatectl set-ntp true';
  return off < CLOCK_FAIL_MS ? warning(name, detail, hint) : failed(name, detail, hint);
}

const claimsSchema = z.looseObject({
  sub: z.string().optional(),
  scope: z.string().optional(),
  exp: z.number().optional(),
});

async function checkToken(server: LocatedServer): Promise<Finding[]> {
  const name = 'token';
  if (server.token === null)
    return [
      failed(name, `none for ${server.url}`, 'Give one with --token, PLANFLEET_TOKEN or the config file.'),
    ];
  const claims = readClaims(server.token);
  const client = new ApiClient(server);
  let fleet: z.infer<typeof fleetSchema> | null = null;
  try {
    const signal = AbortSignal.timeout(REQUEST_MS);
    fleet = await client.get(fleetSchema, '/v1/agents', { query: { limit: 500 }, signal });
  } catch (error) {
    // One without the scope read is as good as any for what it is for.
    const isAllowed = error instanceof RefusedError && error.status === 403;
    if (!isAllowed && error instanceof CliError)
      return [failed(name, `from ${server.token_from}: ${error.message}`, error.hint ?? 'Make a new one.')];
    if (!isAllowed) throw error;
  }
  const scopes =
    (claims.scope ?? '')
      .split(' ')
      .filter((scope) => scope !== '')
      .join(', ') || 'none';
  const subject = printableLine(claims.sub ?? '?', 80);
  const detail = `of ${subject}, scopes ${scopes}, from ${server.token_from}`;
  const found = checkExpiry(detail, claims.exp === undefined ? null : claims.exp * 1_000 - Date.now());
  return fleet === null ? [found] : [found, checkAgents(fleet.items)];
}

const fleetSchema = pageSchema(agentViewSchema);
const SOON_MS = 3 * 24 * 3_600_000;

function checkExpiry(detail: string, leftMs: number | null): Finding {
  if (leftMs === null) return ok('token', `${detail}, does not expire`);
  const text = `${detail}, expires in ${formatDuration(leftMs)}`;
  return leftMs > SOON_MS
    ? ok('token', text)
    : warning('token', text, 'Make a new one: planfleet tokens create');
}

/** Without checking the signature: only the control plane can. */
function readClaims(token: string): z.infer<typeof claimsSchema> {
  try {
    const parsed = claimsSchema.safeParse(
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()),
    );
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}

function checkAgents(agents: readonly z.infer<typeof agentViewSchema>[]): Finding {
  const name = 'agents';
  const connected = agents.filter((agent) => agent.state !== 'missing');
  const gone = agents.length - connected.length;
  const missing = gone === 0 ? '' : `, ${gone} missing`;
  if (connected.length === 0)
    return warning(name, `none connected${missing}`, 'Nothing runs without one: planfleet agent');
  const names = connected.slice(0, 5).map((agent) => `${agent.name} (${printableLine(agent.version, 20)})`);
  const more = connected.length > 5 ? ` and ${connected.length - 5} more` : '';
  const detail = `${connected.length} connected${missing}: ${names.join(', ')}${more}`;
  const others = connected.filter((agent) => agent.version !== VERSION);
  if (others.length === 0) return ok(name, detail);
  return warning(name, detail, `This is version ${VERSION}; upgrade those that are older.`);
}

/** Whether `up` and `serve` could listen where they do unless told otherwise. */
export async function checkPort(): Promise<Finding> {
  const name = `port ${DEFAULT_PORT}`;
  const server = createServer();
  const problem = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    server.once('error', resolve);
    server.listen(DEFAULT_PORT, '127.0.0.1', () => resolve(null));
  });
  if (problem === null) {
    server.close();
    return ok(name, 'free for up and serve');
  }
  return info(name, 'in use, by planfleet or something else; up and serve take another with --port');
}
