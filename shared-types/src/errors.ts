/**
 * Every error that crosses the wire, by its stable code. A route throws `ApiError`; one handler renders
 * it as RFC 9457 `application/problem+json`. The status and title belong to the code, so that the same
 * mistake answers the same everywhere.
 */
export const ERROR_CODES = {
  bad_json: { status: 400, title: 'The body is not valid JSON' },
  bad_request: { status: 400, title: 'The request cannot be read' },
  no_token: { status: 401, title: 'A token is needed' },
  bad_token: { status: 401, title: 'The token is not accepted' },
  wrong_scope: { status: 403, title: 'The token does not allow this' },
  not_found: { status: 404, title: 'There is no such thing here' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  session_superseded: { status: 409, title: 'Another agent process has this name now' },
  conflict: { status: 409, title: 'The present state does not allow this' },
  too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'This kind of body is not understood' },
  invalid: { status: 422, title: 'The request is not valid' },
  idempotency_mismatch: { status: 422, title: 'The idempotency key stands for another submission' },
  unknown_plan: { status: 422, title: 'No such plan is registered' },
  invalid_plan: { status: 422, title: 'The plan has errors' },
  invalid_bundle: { status: 422, title: 'The bundle is refused' },
  agent_too_old: { status: 426, title: 'This agent is too old for this control plane' },
  internal: { status: 500, title: 'The control plane failed' },
  busy: { status: 503, title: 'The control plane is busy; try again' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What went wrong (`message`), where (`details`), and what to do instead (`hint`). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = ERROR_CODES[code].status;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
