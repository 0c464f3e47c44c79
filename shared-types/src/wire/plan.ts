import * as z from 'zod';
import { planNameSchema, sha256Schema } from '../ids.ts';
import { diagnosticSchema } from '../plan/diagnostic.ts';

/** What a submission brings for one name. */
export const planInputViewSchema = z.object({
  name: z.string(),
  kind: z.enum(['value', 'file', 'folder', 'output_file', 'output_folder']),
  required: z.boolean(),
  default: z.string().nullable(),
});

/** What the control plane makes of a plan: every problem at once, and what a submission has to bring. */
export const validationSchema = z.object({
  valid: z.boolean(),
  plan: z.object({
    name: z.string(),
    tasks: z.array(z.string()),
    inputs: z.array(planInputViewSchema),
  }),
  diagnostics: z.array(diagnosticSchema),
});
export type Validation = z.infer<typeof validationSchema>;

/** One version of a registered plan. */
export const planVersionViewSchema = z.object({
  name: planNameSchema,
  /** Numbered from 1. */
  version: z.int().positive(),
  /** sha256 of the bundle, or of plan.md where there is none. */
  digest: sha256Schema,
  registered_by: z.string(),
  created_at: z.iso.datetime(),
});
export type PlanVersionView = z.infer<typeof planVersionViewSchema>;

export const registeredPlanSchema = planVersionViewSchema.extend({
  /** The version that a submission without one runs. Content that was there already keeps its number, which may be an older one. */
  newest_version: z.int().positive(),
  /** Warnings only: a plan with errors is refused. */
  diagnostics: z.array(diagnosticSchema),
});
export type RegisteredPlan = z.infer<typeof registeredPlanSchema>;

export const planDetailSchema = planVersionViewSchema.extend({
  /** Of the heading `# Plan: ...`. */
  title: z.string(),
  goal: z.string().nullable(),
  inputs: z.array(planInputViewSchema.extend({ description: z.string() })),
  tasks: z.array(
    z.object({
      id: z.string(),
      description: z.string().nullable(),
      task_class: z.string(),
      /** Tasks of which the whole, or the same item, must have finished. */
      depends_on: z.array(z.string()),
      /** Whether it has a task for each item of a list. */
      has_list: z.boolean(),
    }),
  ),
  /** Paths in the bundle; null: the plan is its plan.md alone. */
  files: z.array(z.string()).nullable(),
  /** The text of plan.md. */
  markdown: z.string(),
});
export type PlanDetail = z.infer<typeof planDetailSchema>;
