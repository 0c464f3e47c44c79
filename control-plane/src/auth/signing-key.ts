import { base64url } from 'jose';
import * as z from 'zod';

/** HS256 secret with the id that tokens name it by. */
export interface SigningKey {
  readonly kid: string;
  readonly secret: Uint8Array;
}

/** RFC 7518 3.2: as long as the hash. */
const SECRET_BYTES = 32;

const keySchema = z.strictObject({
  kid: z.string().min(1).max(100),
  secret: z.string().regex(/^[A-Za-z0-9_-]{43,}$/, 'a secret is at least 32 bytes in base64url'),
});
const fileSchema = z.union([keySchema.transform((key) => [key]), z.array(keySchema).min(1)]);

/**
 * Reads the text of a signing key file: `{"kid", "secret"}`, or a list of those. The first one signs, all of them
 * verify, so that a key is replaced by putting the new one before it and, once its tokens have expired,
 * taking it out.
 */
export function parseSigningKeys(text: string): [SigningKey, ...SigningKey[]] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('The signing key is not JSON. It looks like {"kid": "...", "secret": "..."}.');
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) throw new Error(`The signing key is not usable: ${z.prettifyError(parsed.error)}`);
  const [first, ...rest] = parsed.data.map(({ kid, secret }) => ({ kid, secret: base64url.decode(secret) }));
  if (first === undefined) throw new Error('The signing key file holds no key.');
  return [first, ...rest];
}

/** The text of a new signing key file, from at least 40 bytes of cryptographic randomness. */
export function createSigningKey(randomBytes: Uint8Array): string {
  if (randomBytes.length < SECRET_BYTES + 8) throw new Error('A signing key needs 40 random bytes.');
  const secret = base64url.encode(randomBytes.subarray(0, SECRET_BYTES));
  const kid = base64url.encode(randomBytes.subarray(SECRET_BYTES, SECRET_BYTES + 8));
  return `${JSON.stringify({ kid, secret })}\n`;
}
