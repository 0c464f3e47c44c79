import type { CreatedToken, Page, TokenView } from '@planfleet/shared-types';
import { createdTokenSchema, tokenViewSchema } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestApp, readJson, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
beforeAll(async () => {
  server = await openTestApp();
});
afterAll(() => server.close());

const create = (body: unknown) => server.ask('admin', 'POST', '/v1/tokens', body);
const use = (token: string, path = '/v1/batches') =>
  server.app.request(path, { headers: { authorization: `Bearer ${token}` } });

test('a token that was made works until it is revoked', async () => {
  const response = await create({
    subject: 'ann',
    scopes: ['read', 'submit'],
    plans: ['inv*'],
    expires_in_s: 3_600,
  });
  expect(response.status).toBe(201);
  const created = createdTokenSchema.parse(await readJson<CreatedToken>(response));
  expect(created).toMatchObject({ subject: 'ann', scopes: ['read', 'submit'], plans: ['inv*'], agent: null });
  expect(created.expires_at).toBe('2026-11-22T13:00:00.000Z');
  expect((await use(created.token)).status).toBe(200);

  const revoked = await server.ask('admin', 'DELETE', `/v1/tokens/${created.jti}`);
  expect(tokenViewSchema.parse(await revoked.json()).revoked_at).toBe('2026-11-22T12:00:00.000Z');
  expect((await use(created.token)).status).toBe(401);
});

test('a token that was made offline is revoked by its id', async () => {
  const token = await server.token(['read'], { jti: 'offline-1' });
  expect((await use(token)).status).toBe(200);
  await server.ask('admin', 'DELETE', '/v1/tokens/offline-1');
  expect((await use(token)).status).toBe(401);
});

test('tokens are listed without themselves, page by page', async () => {
  for (let i = 0; i < 5; i++) await create({ subject: `s${i}`, scopes: ['read'] });
  const seen: TokenView[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`;
    const response = await server.ask('admin', 'GET', `/v1/tokens?limit=2${query}`);
    const page: Page<TokenView> = await readJson(response);
    seen.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen.length).toBeGreaterThanOrEqual(5);
  expect(new Set(seen.map((token) => token.jti)).size).toBe(seen.length);
  expect(JSON.stringify(seen)).not.toContain('eyJ');
});

test.each<[string, unknown]>([
  ['no scopes', { subject: 'a', scopes: [] }],
  ['an unknown scope', { subject: 'a', scopes: ['root'] }],
  ['no subject', { scopes: ['read'] }],
  ['an unknown field', { subject: 'a', scopes: ['read'], colour: 'red' }],
  ['an agent without its scope', { subject: 'a', scopes: ['read'], agent: 'one' }],
  ['plans without their scope', { subject: 'a', scopes: ['read'], plans: ['x'] }],
  ['a life of no time', { subject: 'a', scopes: ['read'], expires_in_s: 0 }],
])('with %s none is made', async (_name, body) => {
  expect((await create(body)).status).toBe(422);
});

test('no token is ever logged', async () => {
  const token = await server.token(['read']);
  await use(token, `/v1/batches?token=${token}`);
  await use(`${token}x`);
  expect(JSON.stringify(server.log)).not.toContain('eyJ');
});
