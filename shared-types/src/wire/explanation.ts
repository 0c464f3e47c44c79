import * as z from 'zod';
import { batchIdSchema } from '../ids.ts';
import { BATCH_STATES, STAGE_STATES, TASK_STATES } from './batch.ts';

/** Why something does not run, or what became of it. */
export const REASON_CODES = [
  'batch_paused',
  'batch_cancelling',
  'batch_ended',
  'list_unknown',
  'not_expanded',
  'waits_for_stage',
  'stage_failed',
  'waits_for_task',
  'task_lost',
  'backoff',
  'turn',
  'behind_priority',
  'running',
  'signalled',
  'no_agent',
  'no_agent_fits',
  'succeeded',
  'abandoned',
  'skipped',
  'cancelled',
] as const;

/** Why an agent does not take it. */
export const AGENT_REASON_CODES = [
  'missing',
  'draining',
  'slots_full',
  'labels_missing',
  'other_storage',
  'class',
] as const;

function reason<T extends readonly [string, ...string[]]>(codes: T) {
  return z.object({ code: z.enum(codes), message: z.string() });
}

export const reasonSchema = reason(REASON_CODES);
export type Reason = z.infer<typeof reasonSchema>;
export const agentReasonSchema = reason(AGENT_REASON_CODES);
export type AgentReason = z.infer<typeof agentReasonSchema>;

/** An agent with every reason why it does not take a task; none: it will. */
export const agentVerdictSchema = z.object({ agent: z.string(), reasons: z.array(agentReasonSchema) });
export type AgentVerdict = z.infer<typeof agentVerdictSchema>;

export const taskExplanationSchema = z.object({
  task: z.string(),
  /** Null: it has not been made yet. */
  state: z.enum(TASK_STATES).nullable(),
  /** The first is what holds it up most. */
  reasons: z.array(reasonSchema),
  /** Asked only where a task is ready: what each agent says to it. */
  agents: z.array(agentVerdictSchema),
});
export type TaskExplanation = z.infer<typeof taskExplanationSchema>;

export const stageExplanationSchema = z.object({
  stage: z.string(),
  state: z.enum(STAGE_STATES),
  reasons: z.array(reasonSchema),
  agents: z.array(agentVerdictSchema),
});
export type StageExplanation = z.infer<typeof stageExplanationSchema>;

export const batchExplanationSchema = z.object({
  batch_id: batchIdSchema,
  state: z.enum(BATCH_STATES),
  reasons: z.array(reasonSchema),
  /** Those that do not move: neither done nor with a task that runs. */
  stages: z.array(stageExplanationSchema),
});
export type BatchExplanation = z.infer<typeof batchExplanationSchema>;
