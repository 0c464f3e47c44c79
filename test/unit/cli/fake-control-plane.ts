import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  form(): Promise<FormData>;
}

export interface FakeAnswer {
  readonly status?: number;
  readonly json?: unknown;
  readonly bytes?: Buffer;
}

/** `METHOD /path` to what it answers; a path that ends in `*` takes everything below. */
export type FakeRoutes = Record<string, (request: FakeRequest) => FakeAnswer | Promise<FakeAnswer>>;

/** A control plane over real HTTP that answers what a test wants, and remembers what it was asked. */
export async function startFakeControlPlane(routes: FakeRoutes, port = 0) {
  const requests: FakeRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const body = Buffer.concat(chunks);
    const request: FakeRequest = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: incoming.headers,
      body,
      form: () =>
        new Response(new Uint8Array(body), {
          headers: { 'content-type': incoming.headers['content-type'] ?? '' },
        }).formData(),
    };
    requests.push(request);
    const name = `${request.method} ${request.path}`;
    const route =
      routes[name] ??
      Object.entries(routes).find(([key]) => key.endsWith('*') && name.startsWith(key.slice(0, -1)))?.[1];
    const answer = route === undefined ? problem(404, 'not_found', `no route ${name}`) : await route(request);
    outgoing.statusCode = answer.status ?? 200;
    if (answer.bytes !== undefined) return outgoing.end(answer.bytes);
    outgoing.setHeader('content-type', 'application/json');
    outgoing.end(JSON.stringify(answer.json ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    requests,
    asked: (name: string) => requests.filter((each) => `${each.method} ${each.path}` === name),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type FakeControlPlane = Awaited<ReturnType<typeof startFakeControlPlane>>;

export function problem(status: number, code: string, detail: string, more: object = {}): FakeAnswer {
  return { status, json: { type: `/problems/${code}`, title: code, status, detail, code, ...more } };
}
