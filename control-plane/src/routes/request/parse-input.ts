import type * as z from 'zod';
import { invalid } from '../../invalid.ts';

export { type Issue, invalid } from '../../invalid.ts';

/** Enough to see what is wrong; a hostile body has millions. */
const MAX_ISSUES = 50;

/** What came, as what `schema` says it must be; throws `invalid` with every issue. */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(
    parsed.error.issues.slice(0, MAX_ISSUES).map((issue) => ({
      path: issue.path.map(String).join('.').slice(0, 500),
      message: issue.message.slice(0, 500),
    })),
  );
}
