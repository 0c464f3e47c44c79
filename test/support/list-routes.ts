import type { Scope } from '@planfleet/shared-types';
import { scopesOf } from '../../control-plane/src/auth/require-scope.ts';
import type { TestApp } from './test-app.ts';

/** Each address of the app, as in `GET /v1/batches/:id`, with the scopes that its handlers demand. */
export function listRoutes({ app }: TestApp): Map<string, readonly Scope[] | undefined> {
  const routes = new Map<string, readonly Scope[] | undefined>();
  for (const { method, path, handler } of app.routes) {
    // What runs before every route is no route.
    if (method === 'ALL') continue;
    const key = `${method} ${path}`;
    routes.set(key, routes.get(key) ?? scopesOf(handler));
  }
  return routes;
}
