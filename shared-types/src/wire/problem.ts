import * as z from 'zod';
import { diagnosticSchema } from '../plan/diagnostic.ts';

/** RFC 9457 problem document, with a stable `code` and, for plans, every diagnostic. */
export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  hint: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** One thing that is wrong with a request. */
export const issueSchema = z.object({
  path: z.string().describe('Place in the request, as in `reports.0.lease`; empty: the whole.'),
  message: z.string(),
});

/** A request that was understood and is not valid: every reason at once. */
export const invalidProblemSchema = problemSchema.extend({
  code: z.literal('invalid'),
  issues: z.array(issueSchema).optional(),
});

/** A plan with errors: every one at once, with the warnings. */
export const planProblemSchema = problemSchema.extend({
  code: z.literal('invalid_plan'),
  diagnostics: z.array(diagnosticSchema),
});
