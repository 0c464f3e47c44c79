import * as z from 'zod';
import { batchIdSchema } from '../ids.ts';
import { agentViewSchema, SIGNALS } from './agent.ts';
import { BATCH_STATES } from './batch.ts';

/** What a retry of a batch re-opened. Of a large one the rows follow within seconds. */
export const batchRetriedSchema = z.object({
  batch_id: batchIdSchema,
  state: z.enum(BATCH_STATES),
  /** Abandoned tasks, and those that were skipped because of them. */
  tasks: z.int(),
});

/** What a retry of a task re-opened: itself, and what was skipped because of it. */
export const taskRetriedSchema = z.object({ task: z.string(), tasks: z.int() });

export const taskSignalledSchema = z.object({
  task: z.string(),
  agent: z.string(),
  /** `stop`: its batch is cancelled, which ends it already. */
  signal: z.enum(SIGNALS),
});

/** An agent with what it holds. */
export const agentDetailSchema = agentViewSchema.extend({
  storage: z.string(),
  draining_since: z.iso.datetime().nullable(),
  /** The first hundred of them. */
  tasks: z.array(
    z.object({
      task: z.string(),
      attempt: z.int(),
      since: z.iso.datetime(),
      signal: z.enum(SIGNALS).nullable(),
    }),
  ),
});
export type AgentDetail = z.infer<typeof agentDetailSchema>;
