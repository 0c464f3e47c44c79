import * as z from 'zod';
import { batchIdSchema } from '../ids.ts';

/** What the control plane decides, and what operators had it do. New ones are added; readers ignore what they do not know. */
export const DECISION_TYPES = [
  'PLAN_PARSED',
  'TASK_RELEASED',
  'FOREACH_EXPAND',
  'FOREACH_EMPTY',
  'DUPLICATE_ITEM_ID',
  'RETRY',
  'ABANDON',
  'LEASE_LOST',
  'LATE_RESULT',
  'AGENT_MISSING',
  'AGENT_BACK',
  'BATCH_COMPLETE',
  'BATCH_FAILED',
  'BATCH_CANCELLED',
  'CANCELLING',
  'PAUSED',
  'RESUMED',
  'RETRIED',
  'ABORT',
  'KILL',
  'DRAINED',
] as const;

/** One line of the decision log. Those without a batch are about an agent. */
export const decisionViewSchema = z.object({
  /** Grows: what `after` takes. */
  id: z.int(),
  at: z.iso.datetime(),
  type: z.string(),
  batch_id: batchIdSchema.nullable(),
  stage: z.string().nullable(),
  /** Id of the task; null where several are meant. */
  task: z.string().nullable(),
  attempt: z.int().nullable(),
  agent: z.string().nullable(),
  /** How many tasks (of a plan: stages) it is about. */
  count: z.int(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()).nullable(),
});
export type DecisionView = z.infer<typeof decisionViewSchema>;
