import { SCOPES } from '@planfleet/shared-types';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fieldDescriptions } from '../../../../control-plane/src/routes/openapi/field-descriptions.ts';
import { operations } from '../../../../control-plane/src/routes/openapi/operations.ts';
import { listRoutes } from '../../../support/list-routes.ts';
import { openTestApp, readJson, type TestApp } from '../../../support/test-app.ts';

interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, DocumentedOperation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}
interface DocumentedOperation {
  readonly operationId: string;
  readonly security: readonly { readonly token: readonly string[] }[];
  readonly responses: Record<string, unknown>;
}

let server: TestApp;
let document: Document;
let text: string;
beforeAll(async () => {
  server = await openTestApp();
  const response = await server.app.request('/openapi.json');
  expect(response.headers.get('content-type')).toBe('application/json');
  text = await response.clone().text();
  document = await readJson<Document>(response);
});
afterAll(() => server.close());

/** `GET /v1/batches/{id}` of `GET /v1/batches/:id`, and so on. */
function toTemplate(route: string): string {
  return route.replace(/:(\w+)(?:\{[^/]*\})?/g, '{$1}');
}

function documented(): Map<string, DocumentedOperation> {
  return new Map(
    Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
      ),
    ),
  );
}

test('every route of the app is described, and nothing else', () => {
  expect(document.openapi).toBe('3.1.1');
  const routes = [...listRoutes(server).keys()].map(toTemplate);
  expect([...documented().keys()].sort()).toEqual(routes.sort());
});

test('the description demands the scopes that the routes demand', () => {
  const demanded = [...listRoutes(server)].map(([route, scopes = []]) => [
    toTemplate(route),
    [...scopes].sort(),
  ]);
  const described = [...documented()].map(([route, { security }]) => [
    route,
    security.flatMap(({ token }) => token).sort(),
  ]);
  expect(Object.fromEntries(described)).toEqual(Object.fromEntries(demanded));
});

test('a token of any other scope is refused, and one of the scope is not', async () => {
  for (const [route, { security }] of documented()) {
    const [method = '', path = ''] = route.split(' ');
    const scopes = security.flatMap(({ token }) => token);
    for (const scope of SCOPES) {
      // Answered in any way but 403, whatever else is wrong with the request; the open ones whatever the token.
      const address = path.replace(/\{\w+\}/g, 'x');
      const response = await server.ask(scope, method, address);
      const allowed = scopes.length === 0 || scopes.includes(scope);
      expect([route, scope, response.status === 403]).toEqual([route, scope, !allowed]);
      await response.body?.cancel();
    }
  }
});

test('an LLM finds what every route is called and does', () => {
  const ids = [...documented().values()].map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [route, operation] of Object.entries(operations)) {
    expect([route, operation.id, operation.summary]).toEqual([
      route,
      expect.stringMatching(/^[a-z][A-Za-z]+$/),
      expect.stringMatching(/^[A-Z].*[^.]$/),
    ]);
  }
});

test('the linter has nothing to say', async () => {
  const config = await createConfig({
    extends: ['recommended'],
    rules: {
      // The routes that are open to everybody refuse nothing.
      'operation-4xx-response': 'off',
      // Those of events are named by `x-events`, which it does not read; others are dropped when nothing names them.
      'no-unused-components': 'off',
    },
  });
  const problems = await lintFromString({ source: text, config });
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
    [],
  );
});

test('every field that is explained is there', () => {
  for (const [name, fields] of Object.entries(fieldDescriptions)) {
    const shape = document.components.schemas[name] as {
      properties: Record<string, { description?: string }>;
    };
    for (const field of Object.keys(fields)) {
      expect([name, field, shape.properties[field]?.description]).toEqual([name, field, expect.any(String)]);
    }
  }
});

test('shapes have one name each, and the names that people use', () => {
  const names = Object.keys(document.components.schemas);
  expect(names).toEqual(
    expect.arrayContaining(['Batch', 'Stage', 'Task', 'Attempt', 'Agent', 'Problem', 'Diagnostic']),
  );
  expect(names.filter((name) => /Output$|^__schema|\d$/.test(name))).toEqual([]);
});
