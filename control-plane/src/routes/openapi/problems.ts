import {
  ERROR_CODES,
  type ErrorCode,
  invalidProblemSchema,
  planProblemSchema,
  problemSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';

type Example = Readonly<Record<string, unknown>> & { readonly detail: string };

/** One of each code as it comes over the wire, without what its code already says. */
const EXAMPLES: Readonly<Record<ErrorCode, Example>> = {
  bad_json: { detail: 'The body is not valid JSON: Unexpected end of JSON input' },
  bad_request: { detail: 'The body broke off.' },
  no_token: {
    detail: 'The request carries no token.',
    hint: 'Send it as a header: Authorization: Bearer TOKEN',
  },
  bad_token: { detail: 'The token is not accepted. It has expired.' },
  wrong_scope: { detail: 'This needs the scope submit; the token has read.' },
  not_found: { detail: 'There is no batch 20261122_142233.' },
  method_not_allowed: { detail: '/v1/batches takes GET, POST.', allow: ['GET', 'POST'] },
  session_superseded: { detail: 'Another process has registered as gpu-1 since.' },
  conflict: { detail: 'Batch 20261122_142233 has already ended: succeeded.', state: 'succeeded' },
  too_large: { detail: 'The body is larger than 16777216 bytes.', limit: 16_777_216 },
  unsupported_media_type: {
    detail: 'A plan is sent as text/markdown or multipart/form-data, not "text/plain".',
  },
  invalid: {
    detail: 'priority: Too big: expected number to be <=10',
    issues: [{ path: 'priority', message: 'Too big: expected number to be <=10' }],
  },
  idempotency_mismatch: {
    detail: 'This Idempotency-Key stands for batch 20261122_142233, which was another submission.',
    hint: 'Give a new submission a new key. To repeat the first one, send exactly what was sent then.',
    batch_id: '20261122_142233',
  },
  unknown_plan: {
    detail: 'No plan is registered as word_cuont.',
    hint: 'Did you mean word_count?',
    plan: 'word_cuont',
    suggest: 'word_count',
  },
  invalid_plan: {
    detail: 'Line 9: There is no task "scann".',
    diagnostics: [
      {
        severity: 'error',
        code: 'PF014',
        rule: 'unknown_dependency',
        subject: 'scann',
        message: 'There is no task "scann".',
        line: 9,
        column: 19,
        suggest: 'scan',
      },
    ],
  },
  invalid_bundle: { detail: 'The bundle holds no plan.md.' },
  agent_too_old: { detail: 'The agent speaks protocol 0, this needs 1.', protocol: 1 },
  internal: { detail: 'Something failed here that should not; the log of the control plane says what.' },
  busy: { detail: 'The database is locked.', hint: 'Send the same request again in a moment.' },
};

const RETRY_AFTER = { description: 'Seconds to wait.', schema: { type: 'integer' as const } };

/** Answers by their codes, each made once, so that the document names it once. */
const made = new Map<string, ZodOpenApiResponseObject>();

/** The answers of a route that says any of `codes`, by status. */
export function problemAnswers(codes: readonly ErrorCode[]): Record<string, ZodOpenApiResponseObject> {
  const byStatus = new Map<number, ErrorCode[]>();
  // In the order of the table, so that the same codes are the same answer whoever lists them.
  for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
    if (!codes.includes(code)) continue;
    const { status } = ERROR_CODES[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries([...byStatus].map(([status, same]) => [String(status), problemAnswer(same)]));
}

function problemAnswer(codes: readonly ErrorCode[]): ZodOpenApiResponseObject {
  const id = codes.map(toPascalCase).join('Or');
  const known = made.get(id);
  if (known !== undefined) return known;
  const answer: ZodOpenApiResponseObject = {
    id,
    description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].title}.`).join('\n\n'),
    content: {
      'application/problem+json': {
        schema: chooseSchema(codes),
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(code) }])),
      },
    },
    ...(codes.includes('busy') ? { headers: { 'Retry-After': RETRY_AFTER } } : {}),
  };
  made.set(id, answer);
  return answer;
}

function chooseSchema(codes: readonly ErrorCode[]): z.ZodType {
  const schemas = [...new Set(codes.map(schemaOf))];
  const [first, second, ...rest] = schemas;
  if (first === undefined) return problemSchema;
  return second === undefined ? first : z.union([first, second, ...rest]);
}

function schemaOf(code: ErrorCode): z.ZodType {
  if (code === 'invalid') return invalidProblemSchema;
  return code === 'invalid_plan' ? planProblemSchema : problemSchema;
}

function exampleOf(code: ErrorCode): Record<string, unknown> {
  const { status, title } = ERROR_CODES[code];
  return { type: `urn:planfleet:problem:${code}`, title, status, code, ...EXAMPLES[code] };
}

function toPascalCase(code: string): string {
  return code.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
