import { problemSchema } from '@planfleet/shared-types';
import type * as z from 'zod';
import type { Answer } from './answer.ts';

/** What came back for one request: a status with its body, or the reason why nothing did. */
export type RawAnswer =
  | { readonly status: number; readonly text: string; readonly retry_after: string | null }
  | { readonly error: unknown };

/**
 * The one place that says whether an answer is final. Anything that may come from something between us and
 * the control plane (a proxy's page, a cut body) is tried again: an agent that gives up on a passing fault
 * loses hours of work, one that tries again loses a request.
 */
export function classifyAnswer<T>(raw: RawAnswer, schema: z.ZodType<T>): Answer<T> {
  if ('error' in raw) return retry(null, describeError(raw.error));
  const { status } = raw;
  if (status >= 200 && status < 300) return readBody(raw.text, status, schema);
  // 408 is a proxy's word for a body that came too slowly, never the control plane's.
  if (status === 408 || status === 429 || status >= 500) {
    return retry(status, readProblem(raw.text)?.message ?? `status ${status}`, raw.retry_after);
  }
  if (status < 400) return retry(status, `unexpected status ${status}`);
  const problem = readProblem(raw.text);
  if (problem === null) return retry(status, `status ${status}, and not from a control plane`);
  if (status === 409 && problem.code === 'session_superseded') {
    return { kind: 'superseded', message: problem.message };
  }
  if (status === 426) return { kind: 'too_old', message: problem.message };
  return { kind: 'final', status, code: problem.code, message: problem.message };
}

function readBody<T>(text: string, status: number, schema: z.ZodType<T>): Answer<T> {
  const json = parseJson(text);
  if (json === undefined) return retry(status, `status ${status} with a body that is not JSON`);
  const parsed = schema.safeParse(json);
  if (parsed.success) return { kind: 'ok', body: parsed.data };
  const issue = parsed.error.issues[0];
  return retry(
    status,
    `status ${status} with an unexpected body (${issue?.path.join('.')}: ${issue?.message})`,
  );
}

function readProblem(text: string): { code: string; message: string } | null {
  const parsed = problemSchema.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const { detail, hint, code } = parsed.data;
  return { code, message: hint === undefined ? detail : `${detail} (${hint})` };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function retry(status: number | null, message: string, retryAfter: string | null = null): Answer<never> {
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return {
    kind: 'retry',
    status,
    message,
    retry_after_ms: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null,
  };
}

/** fetch hides the reason (`ECONNREFUSED`) in the cause of a bare "fetch failed". */
function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return `${error.message}: ${cause.message === '' ? cause.name : cause.message}`;
  return error.message;
}
