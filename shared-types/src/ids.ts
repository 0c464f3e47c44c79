import * as z from 'zod';

/** `YYYYMMDD_HHMMSS` in UTC; a second batch in the same second gets `_02`. */
export const batchIdSchema = z
  .string()
  .regex(/^\d{8}_\d{6}(_\d{2,})?$/, 'a batch id looks like 20261122_142233')
  .meta({ description: 'Id of a batch: its time of submission in UTC.', examples: ['20261122_142233'] });

/** Content address: lower-case hex of 32 bytes. */
export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'a sha256 is 64 lower-case hex digits')
  .meta({
    description: 'Content address: lower-case hex of the sha256.',
    examples: ['2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'],
  });

/** What a machine has and a plan may ask for; they stand in lists with commas. */
export const labelSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.-]{0,99}$/,
    'a label is 1 to 100 letters, digits, dots, dashes or underscores, like a100',
  )
  .meta({ description: 'What a machine has and a plan may ask for.', examples: ['a100'] });

/** Names of agents: they appear in addresses, tokens and file names. */
export const agentNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
    'an agent name is 1 to 63 letters, digits, dots, dashes or underscores',
  )
  .meta({ description: 'Name of an agent, unique in the fleet.', examples: ['gpu-1'] });

/** Names of registered plans: they appear in addresses and in other plans. */
export const planNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/,
    'a plan name is 1 to 100 letters, digits, dots, dashes or underscores, and begins with a letter or digit',
  )
  .meta({ description: 'Name of a registered plan.', examples: ['invoice_processor'] });

/** Where a task stands: its batch, its stage's id in the plan, its place in the stage's list (0 without a list). */
export interface TaskAddress {
  readonly batch_id: string;
  readonly stage_key: string;
  readonly ordinal: number;
}

/**
 * Public id of a task, `BATCH:STAGE:ORDINAL`. Made at the edge: the database keeps the integer key
 * (a text id would cost 319 bytes a task instead of 137).
 */
export function formatTaskId(address: TaskAddress): string {
  return `${address.batch_id}:${address.stage_key}:${address.ordinal}`;
}

/** Reads `BATCH:STAGE:ORDINAL`, or `BATCH:STAGE` for the only task of a stage; null when it is neither. */
export function parseTaskId(text: string): TaskAddress | null {
  const match = /^(\d{8}_\d{6}(?:_\d{2,})?):([A-Za-z_][A-Za-z0-9_.-]*)(?::(\d{1,9}))?$/.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return { batch_id: match[1], stage_key: match[2], ordinal: Number(match[3] ?? 0) };
}
