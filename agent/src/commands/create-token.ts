import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { type CreateToken, createdTokenSchema, createTokenSchema, SCOPES } from '@planfleet/shared-types';
import * as z from 'zod';
import { EXIT, type ExitCode, usageError } from '../client/cli-error.ts';
import { parseDuration } from '../client/parse-duration.ts';
import { printJson, type Terminal } from '../client/terminal.ts';
import { connect, type ServerOptions } from './connect.ts';

export interface CreateTokenOptions extends ServerOptions {
  scope: string[];
  subject?: string;
  agent?: string;
  plan?: string[];
  expires?: string;
  signingKey?: string;
}

/** Prints the token alone on standard output, so that `$(planfleet tokens create ...)` is it. */
export async function createToken(options: CreateTokenOptions, terminal: Terminal): Promise<ExitCode> {
  const request = readRequest(options);
  if (options.signingKey !== undefined) {
    const signingKey = await readSigningKey(options.signingKey, terminal);
    const { signToken } = await import('@planfleet/control-plane');
    const signed = await signToken({ signing_key: signingKey, ...withoutUndefined(request) });
    if (options.json) printJson(terminal, signed);
    else {
      terminal.err(
        `Token ${signed.jti} is made offline, so \`tokens list\` does not show it. It is shown only now:`,
      );
      terminal.out(signed.token);
    }
    return EXIT.done;
  }
  const client = await connect(options, terminal);
  const { raw, value } = await client.sendJson(createdTokenSchema, 'POST', '/v1/tokens', request);
  if (options.json) printJson(terminal, raw);
  else {
    terminal.err(
      `Token ${value.jti} for ${value.subject} (${value.scopes.join(' ')}). It is shown only now:`,
    );
    terminal.out(value.token);
  }
  return EXIT.done;
}

function readRequest(options: CreateTokenOptions): CreateToken {
  const scopes = options.scope.flatMap((text) => text.split(/[\s,]+/)).filter((text) => text !== '');
  const unknown = scopes.find((scope) => !SCOPES.some((each) => each === scope));
  if (unknown !== undefined)
    throw usageError(`--scope: there is no scope "${unknown}"`, `The scopes: ${SCOPES.join(', ')}.`);
  const parsed = createTokenSchema.safeParse({
    subject: options.subject ?? options.agent ?? userInfo().username,
    scopes,
    ...(options.agent === undefined ? {} : { agent: options.agent }),
    ...(options.plan === undefined ? {} : { plans: options.plan }),
    ...(options.expires === undefined
      ? {}
      : { expires_in_s: Math.round(parseDuration(options.expires, '--expires') / 1_000) }),
  });
  if (!parsed.success) throw usageError(z.prettifyError(parsed.error));
  return parsed.data;
}

async function readSigningKey(source: string, terminal: Terminal): Promise<string> {
  if (source === 'env') {
    const key = terminal.env['PLANFLEET_SIGNING_KEY'];
    if (!key) throw usageError('--signing-key env: PLANFLEET_SIGNING_KEY is not set');
    return key;
  }
  try {
    return await readFile(resolve(terminal.cwd, source), 'utf8');
  } catch (error) {
    throw usageError(
      `--signing-key: cannot read ${source}: ${(error as Error).message}`,
      'It lies in the data folder of the control plane, and only its user may read it.',
    );
  }
}

/** Optional fields that are absent, as signToken wants them, instead of undefined. */
function withoutUndefined({ agent, plans, expires_in_s, ...rest }: CreateToken) {
  return {
    ...rest,
    ...(agent === undefined ? {} : { agent }),
    ...(plans === undefined ? {} : { plans }),
    ...(expires_in_s === undefined ? {} : { expires_in_s }),
  };
}
