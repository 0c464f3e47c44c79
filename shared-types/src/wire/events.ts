import * as z from 'zod';
import { batchViewSchema, stageViewSchema } from './batch.ts';
import { decisionViewSchema } from './decision.ts';

/** `batch`: the first event of a stream has all stages, later ones only what the batch has become. */
export const batchEventSchema = batchViewSchema.extend({ stages: z.array(stageViewSchema).optional() });
export type BatchEvent = z.infer<typeof batchEventSchema>;

/** `stage`: those stages that have changed since the event before. */
export const stageEventSchema = z.object({ items: z.array(stageViewSchema) });
export type StageEvent = z.infer<typeof stageEventSchema>;

/** `decision`: what was decided about the batch since the event before, oldest first. */
export const decisionEventSchema = z.object({ items: z.array(decisionViewSchema) });
export type DecisionEvent = z.infer<typeof decisionEventSchema>;

/** `end`: the batch in its final state. The stream closes behind it. */
export const endEventSchema = batchViewSchema;
export type EndEvent = z.infer<typeof endEventSchema>;
