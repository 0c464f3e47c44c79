import * as z from 'zod';
import { batchIdSchema, planNameSchema, sha256Schema } from '../ids.ts';
import { diagnosticSchema } from '../plan/diagnostic.ts';
import { text } from '../well-formed.ts';

export const BATCH_STATES = ['active', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const;
export type BatchState = (typeof BATCH_STATES)[number];
export const STAGE_STATES = ['waiting', 'open', 'done', 'failed', 'cancelled'] as const;
export type StageState = (typeof STAGE_STATES)[number];
export const TASK_STATES = [
  'waiting',
  'ready',
  'leased',
  'backoff',
  'succeeded',
  'abandoned',
  'skipped',
  'cancelled',
] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** A travelling input whose content was uploaded as a blob before the submission. */
export const uploadSchema = z.strictObject({
  sha256: sha256Schema,
  kind: z.enum(['file', 'folder']),
  /** Base name of the file or folder on the submitter's machine. */
  name: text().min(1).max(255),
});
export type Upload = z.infer<typeof uploadSchema>;

export const configSchema = z.record(
  z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'an input name is upper case, like INPUT_FOLDER'),
  z.union([text(), z.number(), z.boolean()]).transform(String),
);

/** Submission of a plan folder (multipart: field `bundle` is the gzipped tar, the others as here). */
export const submitFieldsSchema = z.strictObject({
  name: text().min(1).max(200).optional(),
  config: configSchema.default({}),
  uploads: z.record(text(), uploadSchema).default({}),
  priority: z.int().min(1).max(10).optional(),
});
export type SubmitFields = z.infer<typeof submitFieldsSchema>;

/** Submission of a registered plan, as `application/json`. */
export const submitByNameSchema = submitFieldsSchema.extend({
  plan: planNameSchema,
  /** None: the newest one. */
  version: z.int().positive().optional(),
});

const counts = z.object({
  total: z.int(),
  waiting: z.int(),
  ready: z.int(),
  leased: z.int(),
  backoff: z.int(),
  succeeded: z.int(),
  abandoned: z.int(),
  skipped: z.int(),
  cancelled: z.int(),
});
export type TaskCounts = z.infer<typeof counts>;

export const stageViewSchema = counts.extend({
  key: z.string(),
  description: z.string().nullable(),
  state: z.enum(STAGE_STATES),
  task_class: z.string(),
  depends_on: z.array(z.string()),
  /** False while a foreach list is still unknown or being expanded: `total` will grow. */
  expanded: z.boolean(),
});
export type StageView = z.infer<typeof stageViewSchema>;

export const batchViewSchema = counts.extend({
  id: batchIdSchema,
  plan_name: z.string(),
  state: z.enum(BATCH_STATES),
  priority: z.int(),
  submitted_by: z.string(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  /** The task that started it (execute_plan); null: somebody submitted it. */
  parent: z.string().nullable().optional(),
});
export type BatchView = z.infer<typeof batchViewSchema>;

export const submittedSchema = z.object({
  batch_id: batchIdSchema,
  plan_name: z.string(),
  /** Of the registered plan; null: the plan came with the submission. */
  plan_version: z.int().positive().nullable(),
  stages: z.int(),
  tasks: z.int(),
  /** Warnings only: a plan with errors is refused. */
  diagnostics: z.array(diagnosticSchema),
  links: z.record(z.string(), z.string()),
});
export type Submitted = z.infer<typeof submittedSchema>;

/** Where a batch stands after an operation on it. */
export const batchStateSchema = z.object({ batch_id: batchIdSchema, state: z.enum(BATCH_STATES) });

export const deletedBatchSchema = z.object({ batch_id: batchIdSchema, deleted: z.literal(true) });
export type DeletedBatch = z.infer<typeof deletedBatchSchema>;

export const taskViewSchema = z.object({
  id: z.string(),
  name: z.string(),
  stage: z.string(),
  ordinal: z.int(),
  state: z.enum(TASK_STATES),
  attempts: z.int(),
  tries: z.int(),
  losses: z.int(),
  agent: z.string().nullable(),
  not_before: z.iso.datetime().nullable(),
  item: z.unknown(),
  /** How far the running attempt says it is, from 0 to 1. */
  progress: z.number().nullish(),
  progress_text: z.string().nullish(),
});
export type TaskView = z.infer<typeof taskViewSchema>;

export const attemptViewSchema = z.object({
  attempt: z.int(),
  agent: z.string(),
  outcome: z.string(),
  error_type: z.string().nullable(),
  message: z.string().nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  late: z.boolean(),
  claimed_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime(),
  tail: z.string(),
});
export type AttemptView = z.infer<typeof attemptViewSchema>;

/** When and where an attempt ran: what a picture of a batch is drawn from. */
export const timelineEntrySchema = z.object({
  task: z.string(),
  stage: z.string(),
  ...attemptViewSchema.pick({
    attempt: true,
    agent: true,
    outcome: true,
    claimed_at: true,
    started_at: true,
    ended_at: true,
  }).shape,
});
export type TimelineEntry = z.infer<typeof timelineEntrySchema>;

export const taskDetailSchema = taskViewSchema.extend({
  command: z.string().nullable(),
  /** The batch that it started last (execute_plan), while that batch is there. */
  child_batch: batchIdSchema.nullable().optional(),
  /** The items of a task that has a group of them. */
  items: z.array(z.unknown()).optional(),
  history: z.array(attemptViewSchema),
});
export type TaskDetail = z.infer<typeof taskDetailSchema>;

export const fileViewSchema = z.object({
  path: z.string(),
  size: z.int(),
  sha256: sha256Schema,
  task: z.string(),
  attempt: z.int(),
});
export type FileView = z.infer<typeof fileViewSchema>;

/** One page of a list; `next_cursor` null: there is no more. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}
