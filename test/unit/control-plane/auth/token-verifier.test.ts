import { createHash } from 'node:crypto';
import { base64url, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { signToken, type TokenOptions } from '../../../../control-plane/src/auth/sign-token.ts';
import { createSigningKey, parseSigningKeys } from '../../../../control-plane/src/auth/signing-key.ts';
import {
  createTokenVerifier,
  type TokenVerifier,
} from '../../../../control-plane/src/auth/token-verifier.ts';
import { revokeToken } from '../../../../control-plane/src/store/transitions/tokens.ts';
import { openTempDatabase, type TempDatabase } from '../../../support/temp-database.ts';
import { START } from '../../../support/test-app.ts';

const keyText = createSigningKey(new Uint8Array(40).fill(1));
const keys = parseSigningKeys(keyText);
const otherKeys = parseSigningKeys(createSigningKey(new Uint8Array(40).fill(2)));
const clock = { at: START, now: () => clock.at };
const options: TokenOptions = { jti: 'j1', subject: 'ann', scopes: ['read', 'agent'] };

let db: TempDatabase;
let verifier: TokenVerifier;
let reads: number;
beforeEach(async () => {
  clock.at = START;
  reads = 0;
  db = await openTempDatabase();
  verifier = open(keys);
});
afterEach(() => db.close());

function open(accepted: typeof keys): TokenVerifier {
  const counting = {
    ...db,
    batch: (...call: Parameters<typeof db.batch>) => {
      reads += 1;
      return db.batch(...call);
    },
  };
  const sha256 = async (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
  return createTokenVerifier({ db: counting, clock, sha256, keys: accepted });
}

const refused = { code: 'bad_token', status: 401 };

test('says whose token it is, and what it is restricted to', async () => {
  const token = await signToken(keys[0], { ...options, agent: 'gpu-1', plans: ['inv*'] }, START);
  expect(await verifier.verify(token)).toEqual({
    subject: 'ann',
    jti: 'j1',
    scopes: new Set(['read', 'agent']),
    agent: 'gpu-1',
    plans: ['inv*'],
  });
});

test('a token expires by the clock that was given, also when it is remembered', async () => {
  const token = await signToken(keys[0], { ...options, expires_in_s: 60 }, START);
  await verifier.verify(token);
  clock.at += 59_000;
  await verifier.verify(token);
  clock.at += 1_000;
  await expect(verifier.verify(token)).rejects.toMatchObject(refused);
});

test.each<[string, () => Promise<string>]>([
  ['of another key', () => signToken(otherKeys[0], options, START)],
  [
    'of another secret under our key id',
    () => signToken({ ...otherKeys[0], kid: keys[0].kid }, options, START),
  ],
  ['for another audience', () => jwt({ aud: 'somebody' })],
  ['without an id', () => jwt({ jti: undefined })],
  ['without scopes', () => jwt({ scope: undefined })],
  ['whose agent is no name', () => jwt({ agent: '../x' })],
  ['that is not signed', async () => unsigned()],
  ['whose payload was changed', async () => changed(await signToken(keys[0], options, START))],
])('refuses a token %s', async (_name, make) => {
  await expect(verifier.verify(await make())).rejects.toMatchObject(refused);
});

test('a scope that does not exist gives nothing', async () => {
  const principal = await verifier.verify(await jwt({ scope: 'read everything __proto__' }));
  expect([...principal.scopes]).toEqual(['read']);
});

test('of two keys in the file both are valid, and the first one signs', async () => {
  const both = parseSigningKeys(
    JSON.stringify([JSON.parse(keyText), { kid: 'old', secret: 'a'.repeat(43) }]),
  );
  const rotating = open(both);
  expect(rotating.signingKey.kid).toBe(keys[0].kid);
  for (const key of both) await rotating.verify(await signToken(key, options, START));
});

test('a revoked token is refused on another instance within 30 s', async () => {
  const token = await signToken(keys[0], options, START);
  await verifier.verify(token);
  await revokeToken(db, { jti: 'j1', now: clock.at });
  clock.at += 30_000;
  await expect(verifier.verify(token)).rejects.toMatchObject(refused);
});

test('a revoked token is refused at once where it was revoked', async () => {
  const token = await signToken(keys[0], options, START);
  await verifier.verify(token);
  await revokeToken(db, { jti: 'j1', now: clock.at });
  verifier.forgetRevocations();
  await expect(verifier.verify(token)).rejects.toMatchObject(refused);
});

test('a revocation during a read of the revocations is not missed', async () => {
  const token = await signToken(keys[0], options, START);
  const early = verifier.verify(token);
  await revokeToken(db, { jti: 'j1', now: clock.at });
  verifier.forgetRevocations();
  await early.catch(() => undefined);
  await expect(verifier.verify(token)).rejects.toMatchObject(refused);
});

test('the database is asked once in 30 s, not for every request', async () => {
  const token = await signToken(keys[0], options, START);
  for (let i = 0; i < 50; i++) await verifier.verify(token);
  expect(reads).toBe(1);
});

test.each([
  '',
  '{}',
  'null',
  '[]',
  '{"kid":"a","secret":"short"}',
  '{"kid":"a"}',
])('%j is no signing key', (text) => {
  expect(() => parseSigningKeys(text)).toThrow(/signing key/i);
});

function jwt(change: Record<string, unknown>): Promise<string> {
  const claims = { sub: 'ann', aud: 'planfleet', jti: 'j1', scope: 'read', ...change };
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: keys[0].kid }).sign(keys[0].secret);
}

function unsigned(): string {
  const part = (value: unknown) => base64url.encode(JSON.stringify(value));
  return `${part({ alg: 'none', kid: keys[0].kid })}.${part({ sub: 'a', aud: 'planfleet', jti: 'j', scope: 'admin' })}.`;
}

function changed(token: string): string {
  const [head, payload = '', signature] = token.split('.');
  const claims = JSON.parse(new TextDecoder().decode(base64url.decode(payload))) as object;
  return [head, base64url.encode(JSON.stringify({ ...claims, scope: 'admin' })), signature].join('.');
}
