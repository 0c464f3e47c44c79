import { z } from 'zod';

const place = z.int().min(1);

/**
 * A piece of plan.md and what stands there instead. Lines and columns count from 1, columns in UTF-16 code units (as
 * editors and JavaScript count them); a byte order mark is no column. The end is exclusive.
 */
export const diagnosticEditSchema = z.object({
  line: place,
  column: place,
  end_line: place,
  end_column: place,
  replacement: z.string(),
});
export type DiagnosticEdit = z.infer<typeof diagnosticEditSchema>;

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
  /** The edits that, made together, remove the cause. Absent where the plan does not say what is meant. */
  edits: z.array(diagnosticEditSchema).min(1).optional(),
});
export type Diagnostic = z.infer<typeof diagnosticSchema>;
