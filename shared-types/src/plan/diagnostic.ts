import { z } from 'zod';

const place = z.int().min(1);

/** A machine edit of plan.md that removes the cause. */
export const diagnosticFixSchema = z.object({
  line: place,
  column: place,
  end_line: place,
  end_column: place,
  replacement: z.string(),
});
export type DiagnosticFix = z.infer<typeof diagnosticFixSchema>;

/** One thing that is wrong or doubtful in a plan. */
export const diagnosticSchema = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string().regex(/^PF\d{3}$/),
  /** The name of the code, as in `unknown_dependency`. */
  rule: z.string(),
  /** What it is about: an id, a key, a placeholder. */
  subject: z.string(),
  message: z.string(),
  line: place,
  column: place,
  /** What to write instead. */
  hint: z.string().optional(),
  /** The nearest known name. */
  suggest: z.string().optional(),
  other_line: place.optional(),
  fix: diagnosticFixSchema.optional(),
});
export type Diagnostic = z.infer<typeof diagnosticSchema>;
