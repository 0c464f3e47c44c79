import * as z from 'zod';
import { sha256Schema } from '../ids.ts';

/** Asks which of these contents are not stored yet. */
export const missingRequestSchema = z.strictObject({ sha256: z.array(sha256Schema).max(1_000) });

export const missingAnswerSchema = z.object({
  /** Those to upload, each once. */
  missing: z.array(sha256Schema),
});

export const storedBlobSchema = z.object({ sha256: sha256Schema });
