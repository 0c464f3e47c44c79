import { type Context, Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { ApiDocument } from './docs/api-document.ts';

/** Texts of one process: they are the same until it ends. */
interface Description {
  readonly json: string;
  readonly docs: string;
  readonly docs_policy: string;
  readonly llms: string;
}

/** The API, described by itself. Made when first asked for: most processes never are. */
export function descriptionRoutes(deps: Deps): Hono {
  const app = new Hono();
  let made: Description | null = null;
  const describe = async (): Promise<Description> => {
    made ??= await makeDescription(deps);
    return made;
  };

  app.get('/openapi.json', async (c) => answer(c, (await describe()).json, 'application/json'));

  app.get('/docs', async (c) => {
    const { docs, docs_policy } = await describe();
    c.header('content-security-policy', docs_policy);
    c.header('referrer-policy', 'no-referrer');
    return answer(c, docs, 'text/html; charset=utf-8');
  });

  app.get('/llms.txt', async (c) => answer(c, (await describe()).llms, 'text/plain; charset=utf-8'));

  return app;
}

/** Another version of the server says something else, so that a browser asks each time. */
function answer(c: Context, text: string, type: string): Response {
  return c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' });
}

async function makeDescription({ sha256 }: Deps): Promise<Description> {
  const [{ createApiDocument }, { renderDocs }, { docsStyle }, { renderLlms }] = await Promise.all([
    import('./openapi/create-document.ts'),
    import('./docs/render-docs.ts'),
    import('./docs/docs-style.ts'),
    import('./docs/render-llms.ts'),
  ]);
  const json = JSON.stringify(createApiDocument());
  const document = JSON.parse(json) as ApiDocument;
  const style = toBase64(await sha256(new TextEncoder().encode(docsStyle)));
  const docs_policy = [
    "default-src 'none'",
    `style-src 'sha256-${style}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return { json, docs: renderDocs(document), docs_policy, llms: renderLlms(document) };
}

function toBase64(hex: string): string {
  return btoa(hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))));
}
