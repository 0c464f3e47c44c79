import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { type CreateToken, createdTokenSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { ApiClient, RefusedError } from '../client/api-client.ts';
import { readLocalLogin, writeLocalLogin, writePrivateFile } from '../client/local-login.ts';

/** Tokens that a control plane of this machine keeps in its data folder, so that each start finds those of the last. */
export interface LocalTokens {
  /** Of the user who started it. */
  readonly login: string;
  /** For machines that join: for one agent, or (null) for agents of any name. */
  agentToken(name: string | null): Promise<string>;
}

const joinFileSchema = z.record(z.string(), z.string());
/** Agents of any name; no name of an agent has this character. */
const ANY = '*';

/**
 * They are made by the control plane itself, so that `tokens list` shows them and `tokens revoke` ends them.
 * One that was revoked, or signed with a key that is gone, is replaced.
 */
export async function openLocalTokens(options: {
  url: string;
  data: string;
  /** Short-lived and offline, for the first request. */
  signAdmin(): Promise<string>;
}): Promise<LocalTokens> {
  const { url, data, signAdmin } = options;
  const before = await readLocalLogin(data);
  const login =
    before !== null && (await isAccepted(url, before.token))
      ? before.token
      : await create(url, await signAdmin(), {
          subject: userInfo().username,
          scopes: ['submit', 'read', 'operate', 'admin'],
        });
  await writeLocalLogin(data, { url, token: login });
  const file = join(data, 'join-tokens.json');
  return {
    login,
    async agentToken(name) {
      const tokens = await readJoinTokens(file);
      const found = tokens[name ?? ANY];
      if (found !== undefined && (await isAccepted(url, found))) return found;
      const token = await create(
        url,
        login,
        name === null
          ? { subject: 'agents', scopes: ['agent'] }
          : { subject: `agent ${name}`, scopes: ['agent'], agent: name },
      );
      await writePrivateFile(file, `${JSON.stringify({ ...tokens, [name ?? ANY]: token }, null, 2)}\n`);
      return token;
    },
  };
}

async function create(url: string, token: string, request: CreateToken): Promise<string> {
  const client = new ApiClient({ url, token });
  return (await client.sendJson(createdTokenSchema, 'POST', '/v1/tokens', request)).value.token;
}

/** Whether a token still counts there, whatever it is for. */
export async function isAccepted(url: string, token: string): Promise<boolean> {
  try {
    const response = await new ApiClient({ url, token }).request('GET', '/v1/tokens', {
      query: { limit: 1 },
      signal: AbortSignal.timeout(5_000),
    });
    await response.body?.cancel();
    return true;
  } catch (error) {
    return error instanceof RefusedError && error.status === 403;
  }
}

async function readJoinTokens(file: string): Promise<Record<string, string>> {
  try {
    const parsed = joinFileSchema.safeParse(JSON.parse(await readFile(file, 'utf8')));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
