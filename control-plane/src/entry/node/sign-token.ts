import { randomUUID } from 'node:crypto';
import { createTokenSchema, type Scope } from '@planfleet/shared-types';
import * as z from 'zod';
import { signToken as sign } from '../../auth/sign-token.ts';
import { parseSigningKeys } from '../../auth/signing-key.ts';

export interface SignTokenOptions {
  /** Content of the signing key file. */
  readonly signing_key: string;
  readonly subject: string;
  readonly scopes: Scope[];
  readonly agent?: string;
  readonly plans?: string[];
  readonly expires_in_s?: number;
}

/** Makes a token without a server: whoever holds the signing key is the one who may. */
export async function signToken(options: SignTokenOptions): Promise<{ token: string; jti: string }> {
  const { signing_key, ...request } = options;
  const parsed = createTokenSchema.safeParse(request);
  if (!parsed.success) throw new Error(`The token cannot be made: ${z.prettifyError(parsed.error)}`);
  const [key] = parseSigningKeys(signing_key);
  const jti = randomUUID();
  return { jti, token: await sign(key, { ...parsed.data, jti }, Date.now()) };
}
