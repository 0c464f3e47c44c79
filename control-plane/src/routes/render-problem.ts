import { ApiError, ERROR_CODES, type ErrorCode, type Problem } from '@planfleet/shared-types';
import type { Context } from 'hono';
import { ArtifactStoreError } from '../artifacts/artifact-store.ts';
import type { Log } from '../deps.ts';
import { DatabaseBusyError } from '../store/database.ts';

/** Long enough for a lock to be over, short enough that nobody waits for nothing. */
const RETRY_AFTER_S = '2';

/** The one place where an error becomes an answer: `application/problem+json` (RFC 9457). */
export function renderProblem(error: unknown, c: Context, log: Log): Response {
  const known = toApiError(error, c, log);
  const { code, status, message, hint, details } = known;
  const problem: Problem = {
    ...details,
    type: `urn:planfleet:problem:${code}`,
    title: ERROR_CODES[code].title,
    status,
    detail: message,
    code,
    ...(hint === undefined ? {} : { hint }),
  };
  return new Response(JSON.stringify(problem), { status, headers: headersOf(code, details) });
}

function toApiError(error: unknown, c: Context, log: Log): ApiError {
  if (error instanceof ApiError) return error;
  const where = { method: c.req.method, path: c.req.path };
  if (error instanceof DatabaseBusyError || error instanceof ArtifactStoreError) {
    log({ level: 'warn', message: error.message, ...where, cause: String(error.cause) });
    return new ApiError('busy', error.message, { hint: 'Send the same request again in a moment.' });
  }
  // Who went away hears no answer; that its body broke off is no failure of ours.
  if (c.req.raw.signal?.aborted) return new ApiError('bad_request', 'The request broke off.');
  log({ level: 'error', message: 'A request failed.', ...where, error: describe(error) });
  return new ApiError(
    'internal',
    'Something failed here that should not; the log of the control plane says what.',
  );
}

function headersOf(code: ErrorCode, details: Readonly<Record<string, unknown>>): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  if (code === 'busy') headers['retry-after'] = RETRY_AFTER_S;
  if (code === 'no_token' || code === 'bad_token') headers['www-authenticate'] = 'Bearer realm="planfleet"';
  if (code === 'method_not_allowed' && Array.isArray(details['allow']))
    headers['allow'] = details['allow'].join(', ');
  return headers;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}
