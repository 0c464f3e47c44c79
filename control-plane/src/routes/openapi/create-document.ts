import type { ErrorCode } from '@planfleet/shared-types';
import {
  createDocument,
  type oas31,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverrideContext,
  type ZodOpenApiPathsObject,
} from 'zod-openapi';
import { buildCurl } from './build-curl.ts';
import { componentSchemas } from './components.ts';
import { fieldDescriptions } from './field-descriptions.ts';
import { type Operation, TAGS } from './operation.ts';
import { operations } from './operations.ts';
import { problemAnswers } from './problems.ts';
import { pruneSchemas } from './prune-schemas.ts';

const INTRODUCTION = `Runs markdown plans on a fleet of machines. A **plan** is submitted as a **batch**; its \`###\` tasks become \
**stages**; a stage is one **task**, or one for each item of a list; **agents** claim tasks and report each **attempt**.

- JSON in and out. Times are ISO 8601 in UTC; those of the agents' protocol are ms since 1970.
- A token goes into the header \`Authorization: Bearer TOKEN\`, never into an address. Each route says which scope it needs.
- Lists are read page by page: \`limit\`, and \`cursor\` with the \`next_cursor\` of the page before, until that is null.
- An error is \`application/problem+json\` (RFC 9457) with a stable \`code\` and often a \`hint\`. An unknown field or parameter is an error.
- An answer may gain fields: ignore those that you do not know.
- What can be read with GET can be asked for with HEAD.`;

/** The description of the whole API as OpenAPI 3.1, from the schemas that the routes parse and answer with. */
export function createApiDocument(): oas31.OpenAPIObject {
  const document = createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'planfleet',
        version: '1',
        summary: 'HTTP API of the control plane',
        description: INTRODUCTION,
        license: { name: 'MIT', identifier: 'MIT' },
      } as oas31.InfoObject,
      servers: [{ url: '/', description: 'This control plane' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      paths: createPaths(),
      components: {
        schemas: { ...componentSchemas },
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'A planfleet token: `planfleet tokens create`, or `POST /v1/tokens`.',
          },
        },
      },
    },
    { override: simplify },
  );
  for (const parameter of parametersOf(document)) dropNull(parameter.schema);
  const pruned = pruneSchemas(document);
  for (const [name, fields] of Object.entries(fieldDescriptions)) describeFields(pruned, name, fields);
  return pruned;
}

/** A description that a schema brings itself stays. */
function describeFields(document: oas31.OpenAPIObject, name: string, fields: Record<string, string>): void {
  const schema = document.components?.schemas?.[name];
  if (schema === undefined || !('properties' in schema)) return;
  for (const [field, description] of Object.entries(fields)) {
    const property = schema.properties?.[field];
    if (property !== undefined) property.description ??= description;
  }
}

/** Says less than the library: what helps a reader, and what will still hold when an answer gains fields. */
function simplify({ zodSchema, jsonSchema, io }: ZodOpenApiOverrideContext): void {
  const { def } = zodSchema._zod;
  // An object that the schemas call strict forbids other fields wherever it is; others only where they are sent to us.
  if (io === 'output' && def.type === 'object' && def.catchall === undefined) {
    delete jsonSchema.additionalProperties;
  }
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

function createPaths(): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const [route, operation] of Object.entries(operations)) {
    const [method = '', path = ''] = route.split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: toOperationObject(method, path, operation) };
  }
  return paths;
}

function toOperationObject(method: string, path: string, operation: Operation): ZodOpenApiOperationObject {
  const { id, tag, summary, scopes, body, query, parameters = [] } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: [operation.description, describeScopes(operation)]
      .filter((part) => part !== undefined)
      .join('\n\n'),
    security: scopes.map((scope) => ({ token: [scope] })),
    requestParams: {
      ...(operation.path === undefined ? {} : { path: operation.path }),
      ...(query === undefined ? {} : { query }),
    },
    ...(parameters.length === 0 ? {} : { parameters: [...parameters] }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: operation.body_optional !== true, content: { ...body } } }),
    responses: { ...operation.answers, ...problemAnswers(problemsOf(operation)) },
    'x-codeSamples': [{ lang: 'Shell', label: 'curl', source: buildCurl(method, path, operation) }],
  };
}

function describeScopes({ scopes }: Operation): string {
  if (scopes.length === 0) return 'Needs no token.';
  return `Needs the scope ${scopes.map((scope) => `\`${scope}\``).join(' or ')}.`;
}

/** What any route may say, and what this one says itself. Open routes but for readiness touch nothing that can be busy. */
function problemsOf({ scopes, problems = [] }: Operation): ErrorCode[] {
  const guarded: ErrorCode[] = scopes.length === 0 ? [] : ['no_token', 'bad_token', 'wrong_scope', 'busy'];
  return [...guarded, 'internal', ...problems];
}

function parametersOf(document: oas31.OpenAPIObject): oas31.ParameterObject[] {
  const items = Object.values(document.paths ?? {}) as Record<string, oas31.OperationObject>[];
  return items
    .flatMap((item) => Object.values(item).flatMap(({ parameters = [] }) => parameters))
    .filter((parameter): parameter is oas31.ParameterObject => 'name' in parameter);
}

/** A parameter that is not given is null to the route; no request can say null. */
function dropNull(schema: oas31.ParameterObject['schema']): void {
  if (schema === undefined || !('anyOf' in schema) || schema.anyOf === undefined) return;
  const [shown, nothing] = schema.anyOf;
  if (shown === undefined || nothing === undefined || !('type' in nothing) || nothing.type !== 'null') return;
  delete schema.anyOf;
  if (schema.default === null) delete schema.default;
  const { description } = schema;
  Object.assign(schema, shown, description === undefined ? {} : { description });
}
