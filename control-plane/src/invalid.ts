import { ApiError } from '@planfleet/shared-types';

export interface Issue {
  /** Place in the request, as in `reports.0.lease`; empty: the whole. */
  readonly path: string;
  readonly message: string;
}

/** The refusal of a request that is wrong in these places; its sentence is about the first. */
export function invalid(issues: readonly Issue[], hint?: string): ApiError {
  const [first] = issues;
  const place = first === undefined || first.path === '' ? '' : `${first.path}: `;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const message = `${place}${first?.message ?? 'The request is not valid.'}${more}`;
  return new ApiError('invalid', message, { details: { issues }, ...(hint === undefined ? {} : { hint }) });
}
