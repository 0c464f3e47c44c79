import { ApiError } from '@planfleet/shared-types';
import type * as z from 'zod';

export interface Issue {
  /** Place in the request, as in `reports.0.lease`; empty: the whole. */
  readonly path: string;
  readonly message: string;
}

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

export function invalid(issues: readonly Issue[], hint?: string): ApiError {
  const [first] = issues;
  const place = first === undefined || first.path === '' ? '' : `${first.path}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const message = `${place}${first?.message ?? 'The request is not valid.'}${more}`;
  return new ApiError('invalid', message, { details: { issues }, ...(hint === undefined ? {} : { hint }) });
}
