import * as z from 'zod';
import { diagnosticSchema } from '../plan/diagnostic.ts';

/** What the control plane makes of a plan: every problem at once, and what a submission has to bring. */
export const validationSchema = z.object({
  valid: z.boolean(),
  plan: z.object({
    name: z.string(),
    tasks: z.array(z.string()),
    inputs: z.array(
      z.object({
        name: z.string(),
        kind: z.enum(['value', 'file', 'folder', 'output_file', 'output_folder']),
        required: z.boolean(),
        default: z.string().nullable(),
      }),
    ),
  }),
  diagnostics: z.array(diagnosticSchema),
});
export type Validation = z.infer<typeof validationSchema>;
