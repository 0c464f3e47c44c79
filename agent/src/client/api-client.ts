import { type Problem, problemSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { CliError, EXIT } from './cli-error.ts';
import { printableLine } from './printable-text.ts';
import type { Server } from './resolve-server.ts';
import { VERSION } from './version.ts';

/** The control plane said no, and why. */
export class RefusedError extends CliError {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null, message: string, hint: string | undefined) {
    // A wrong name or value is the caller's; a missing right or a failing server is not.
    const usage = status >= 400 && status < 500 && ![401, 403, 407, 408, 429].includes(status);
    super(usage ? EXIT.usage : EXIT.unreachable, message, { hint });
    this.status = status;
    this.problem = problem;
  }
}

/** No answer at all. */
export class UnreachableError extends CliError {
  override readonly name = 'UnreachableError';
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: NonNullable<RequestInit['body']>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** One control plane over HTTP. Every refusal becomes a `CliError` that says what to do. */
export class ApiClient {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** The answer as it came, and as what it should be. */
  async read<T>(
    schema: z.ZodType<T>,
    path: string,
    options: RequestOptions = {},
    method = 'GET',
  ): Promise<{ raw: unknown; value: T; headers: Headers }> {
    const response = await this.request(method, path, options);
    let raw: unknown;
    try {
      raw = await response.json();
    } catch (error) {
      if (isAbort(error)) throw error;
      if (!(error instanceof SyntaxError)) throw this.#unreachable(error);
      throw this.#strange(`${method} ${path} did not answer JSON`);
    }
    const parsed = schema.safeParse(raw);
    if (!parsed.success)
      throw this.#strange(`${method} ${path} gave an unknown answer: ${z.prettifyError(parsed.error)}`);
    return { raw, value: parsed.data, headers: response.headers };
  }

  async get<T>(schema: z.ZodType<T>, path: string, options: RequestOptions = {}): Promise<T> {
    return (await this.read(schema, path, options)).value;
  }

  sendJson<T>(schema: z.ZodType<T>, method: string, path: string, body: unknown) {
    const headers = { 'content-type': 'application/json' };
    return this.read(schema, path, { body: JSON.stringify(body), headers }, method);
  }

  /** Resolves on 2xx only. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    const url = new URL(`${this.#server.url}${path}`);
    for (const [key, value] of Object.entries(options.query ?? {}))
      if (value !== undefined) url.searchParams.set(key, String(value));
    const headers: Record<string, string> = { 'user-agent': `planfleet/${VERSION}`, ...options.headers };
    if (this.#server.token !== null) headers['authorization'] = `Bearer ${this.#server.token}`;
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers,
        // A redirect would carry the token to wherever it points.
        redirect: 'error',
        ...(options.body === undefined ? {} : { body: options.body }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw this.#unreachable(error);
    }
    if (!response.ok) throw await this.#refused(response);
    return response;
  }

  async #refused(response: Response): Promise<RefusedError> {
    const text = await response.text().catch(() => '');
    const problem = parseProblem(text);
    const message =
      problem === null
        ? `${this.#server.url} answered ${response.status}${text === '' ? '' : `: ${printableLine(text, 200)}`}`
        : [printableLine(problem.detail || problem.title, 2_000), ...otherIssues(problem)].join('\n  ');
    return new RefusedError(response.status, problem, message, problem?.hint ?? this.#hint(response.status));
  }

  #hint(status: number): string | undefined {
    if (status !== 401) return undefined;
    if (this.#server.token !== null)
      return 'The token is unknown, expired or revoked there. Make a new one: planfleet tokens create';
    return 'Give one with --token, PLANFLEET_TOKEN or ~/.config/planfleet/config.json.';
  }

  #unreachable(error: unknown): UnreachableError {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reason = REASONS[code] ?? (cause instanceof Error ? cause.message || code : String(cause));
    return new UnreachableError(EXIT.unreachable, `cannot reach ${this.#server.url}: ${reason}`, {
      hint: 'Is it running? `planfleet up` starts one on this machine; --url or PLANFLEET_URL names another.',
      cause: error,
    });
  }

  #strange(message: string): CliError {
    return new CliError(EXIT.unreachable, printableLine(message, 1_000), {
      hint: `Is ${this.#server.url} a planfleet control plane of this version?`,
    });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up now',
  ETIMEDOUT: 'no answer (timed out)',
  ECONNRESET: 'the connection was cut',
  UND_ERR_CONNECT_TIMEOUT: 'no answer (timed out)',
  UND_ERR_SOCKET: 'the connection was cut',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; use that name in --url',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed (NODE_EXTRA_CA_CERTS names a file to trust)',
};

const issuesSchema = z.array(z.object({ path: z.string(), message: z.string() }));

/** Everything that is wrong with a request at once; the problem's own sentence is about the first. */
function otherIssues(problem: Problem): string[] {
  const parsed = issuesSchema.safeParse(problem['issues']);
  if (!parsed.success) return [];
  return parsed.data.slice(1).map(({ path, message }) => printableLine(`${path}: ${message}`, 500));
}

function parseProblem(text: string): Problem | null {
  try {
    const parsed = problemSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
