import {
  createdTokenSchema,
  createTokenSchema,
  jtiSchema,
  pageSchema,
  tokenViewSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import { tokensQuery } from '../request/queries.ts';
import { JSON_BODY_PROBLEMS, jsonAnswer, jsonBody, type Operations } from './operation.ts';

const EXAMPLE_TOKEN = {
  jti: '5f0e9a3c1b7d4e2f8a6c0d9b3e1f7a5c',
  subject: 'planner',
  scopes: ['submit', 'read'],
  agent: null,
  plans: ['invoice_*'],
  created_at: '2026-11-22T14:20:00.000Z',
  expires_at: '2026-12-22T14:20:00.000Z',
  revoked_at: null,
};

export const tokenPageSchema = pageSchema(tokenViewSchema);

export const tokenOperations: Operations = {
  'POST /v1/tokens': {
    id: 'createToken',
    tag: 'tokens',
    summary: 'Make a token',
    description:
      'The answer is the only place where the token itself is seen. `agent` binds a token of that scope to one agent name; ' +
      '`plans` are globs of the plan names that a token of the scope `submit` may run.',
    scopes: ['admin'],
    body: jsonBody(createTokenSchema, {
      subject: 'planner',
      scopes: ['submit', 'read'],
      plans: ['invoice_*'],
      expires_in_s: 2_592_000,
    }),
    answers: {
      201: jsonAnswer('The token.', createdTokenSchema, {
        ...EXAMPLE_TOKEN,
        token: 'eyJhbGciOiJIUzI1NiJ9...',
      }),
    },
    problems: JSON_BODY_PROBLEMS,
  },
  'GET /v1/tokens': {
    id: 'listTokens',
    tag: 'tokens',
    summary: 'All tokens that were made here',
    description: 'Tokens that were made offline with the signing key appear once they are revoked.',
    scopes: ['admin'],
    query: tokensQuery,
    answers: {
      200: jsonAnswer('A page of tokens.', tokenPageSchema, { items: [EXAMPLE_TOKEN], next_cursor: null }),
    },
    problems: ['invalid'],
  },
  'DELETE /v1/tokens/{jti}': {
    id: 'revokeToken',
    tag: 'tokens',
    summary: 'Revoke a token',
    description:
      'Holds on every instance within 30 seconds. A token that is not known here can be revoked too.',
    scopes: ['admin'],
    path: z.object({ jti: jtiSchema }),
    answers: {
      200: jsonAnswer('The token, revoked.', tokenViewSchema, {
        ...EXAMPLE_TOKEN,
        revoked_at: '2026-11-23T08:00:00.000Z',
      }),
    },
    problems: ['invalid'],
  },
};
