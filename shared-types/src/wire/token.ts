import * as z from 'zod';
import { agentNameSchema } from '../ids.ts';
import { text } from '../well-formed.ts';

export const SCOPES = ['submit', 'read', 'operate', 'agent', 'tick', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Audience of every planfleet token, so that a token made for another service with the same key is refused. */
export const TOKEN_AUDIENCE = 'planfleet';

/** Claims of a planfleet token (JWT). `agent` binds an agent token to one agent name; `plans` are globs. */
export const tokenClaimsSchema = z.object({
  sub: text().min(1),
  scope: z.string(),
  aud: z.literal(TOKEN_AUDIENCE),
  jti: text().min(1),
  iat: z.number().optional(),
  exp: z.number().optional(),
  agent: agentNameSchema.optional(),
  plans: z.array(text()).optional(),
});

/** Id of a token. It is no secret. */
export const jtiSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,100}$/, 'a token id is up to 100 letters, digits, ., _ or -')
  .meta({ description: 'Id of a token (its `jti`).', examples: ['5f0e9a3c1b7d4e2f8a6c0d9b3e1f7a5c'] });

export const createTokenSchema = z.strictObject({
  subject: text().min(1).max(200),
  scopes: z.array(z.enum(SCOPES)).min(1),
  agent: agentNameSchema.optional(),
  plans: z.array(text().min(1).max(200)).max(100).optional(),
  /** Seconds from now; none: does not expire. */
  expires_in_s: z.int().positive().max(315_360_000).optional(),
});
export type CreateToken = z.infer<typeof createTokenSchema>;

export const tokenViewSchema = z.object({
  jti: z.string(),
  subject: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  agent: z.string().nullable(),
  plans: z.array(z.string()).nullable(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
});
export type TokenView = z.infer<typeof tokenViewSchema>;

/** The only answer that carries a token; it is never stored. */
export const createdTokenSchema = tokenViewSchema.extend({ token: z.string() });
export type CreatedToken = z.infer<typeof createdTokenSchema>;
