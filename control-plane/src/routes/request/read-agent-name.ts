import { agentNameSchema } from '@planfleet/shared-types';
import type { Context } from 'hono';
import type { AppEnv } from '../../auth/require-scope.ts';
import { requireAgentName } from '../../auth/restrictions.ts';
import { parseInput } from './parse-input.ts';

/** The agent in the address, for which the token must be allowed to act. */
export function readAgentName(c: Context<AppEnv>): string {
  const name = parseInput(agentNameSchema, c.req.param('name'));
  requireAgentName(c.var.principal, name);
  return name;
}
