import * as z from 'zod';

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
