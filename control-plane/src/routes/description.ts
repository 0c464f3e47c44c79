import { Hono } from 'hono';

/** The API, described by itself. Made when first asked for: most processes never are. */
export function descriptionRoutes(): Hono {
  const app = new Hono();
  let json: Promise<string> | null = null;
  const readJson = () => {
    json ??= import('./openapi/create-document.ts').then(({ createApiDocument }) =>
      JSON.stringify(createApiDocument()),
    );
    return json;
  };

  app.get('/openapi.json', async (c) =>
    c.body(await readJson(), 200, { 'content-type': 'application/json', 'cache-control': 'no-cache' }),
  );

  return app;
}
