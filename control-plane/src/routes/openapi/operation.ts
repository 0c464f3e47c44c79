import type { ErrorCode, Scope } from '@planfleet/shared-types';
import type * as z from 'zod';
import type { oas31, ZodOpenApiMediaTypeObject, ZodOpenApiResponseObject } from 'zod-openapi';

/** The groups of the API description, in its order. */
export const TAGS = {
  plans: 'Markdown plans: what they are checked for, and those that are kept by name.',
  batches: 'One submission of a plan each: its stages, its progress, its files.',
  tasks: 'The units of work of a batch, with every attempt.',
  decisions: 'What the control plane decided, and what operators had it do.',
  agents: 'The machines of the fleet, and the protocol that they speak.',
  blobs: 'Immutable content by its sha256: inputs on their way in, files on their way out.',
  tokens: 'Who may do what.',
  system: 'Health, metrics, the tick, and this description.',
} as const;

export type Tag = keyof typeof TAGS;

/** A route as it is described. Its key says method and path, as in `GET /v1/batches/{id}`. */
export interface Operation {
  /** Name of the function in generated clients. */
  readonly id: string;
  readonly tag: Tag;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly description?: string;
  /** Any one of them is enough; none: the route is open to everybody. */
  readonly scopes: readonly Scope[];
  readonly path?: z.ZodObject;
  /** The very schema that the route parses with. */
  readonly query?: z.ZodObject;
  /** Headers, and what no schema says. */
  readonly parameters?: readonly oas31.ParameterObject[];
  /** By media type. */
  readonly body?: Readonly<Record<string, ZodOpenApiMediaTypeObject>>;
  readonly body_optional?: true;
  /** By status: what is answered when all is well. */
  readonly answers: Readonly<Record<number, ZodOpenApiResponseObject>>;
  /** Beside those that every route with a scope has (no token, wrong scope), `internal` and `busy`. */
  readonly problems?: readonly ErrorCode[];
  /** Instead of the one that is made from the examples: arguments of curl behind the token. */
  readonly curl?: string;
}

export type Operations = Readonly<Record<`${'GET' | 'POST' | 'PUT' | 'DELETE'} /${string}`, Operation>>;

/** What goes wrong with a JSON body. */
export const JSON_BODY_PROBLEMS = ['bad_json', 'bad_request', 'too_large', 'invalid'] as const;

export function jsonBody(schema: z.ZodType, example: unknown): Record<string, ZodOpenApiMediaTypeObject> {
  return { 'application/json': { schema, example } };
}

export function jsonAnswer(
  description: string,
  schema: z.ZodType,
  example: unknown,
): ZodOpenApiResponseObject {
  return { description, content: { 'application/json': { schema, example } } };
}

/** An answer of bytes or text. */
export function plainAnswer(
  description: string,
  media: string,
  schema: oas31.SchemaObject = { type: 'string' },
): ZodOpenApiResponseObject {
  return { description, content: { [media]: { schema } } };
}
