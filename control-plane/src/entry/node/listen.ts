import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { prepareClose } from './close-server.ts';

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** PEM, or the files that hold it. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

/** Large inputs are sent in one request over slow lines; Node's own five minutes would cut them off. */
const REQUEST_TIMEOUT_MS = 6 * 60 * 60 * 1_000;
/** Longer than agents pause between requests, so that they do not send into a connection that is being closed. */
const KEEP_ALIVE_MS = 65_000;

export interface Listening {
  readonly port: number;
  /** Answers what is under way. */
  close(): Promise<void>;
}

export async function listen(listener: RequestListener, options: ListenOptions): Promise<Listening> {
  const { host, port, tls } = options;
  const timeouts = { requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const server =
    tls === undefined
      ? createServer(timeouts, listener)
      : createTlsServer(
          { ...timeouts, cert: await readPem(tls.cert), key: await readPem(tls.key) },
          listener,
        );
  const close = prepareClose(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return { port: address.port, close };
}

/** Without TLS, for this machine alone: on the port after the other, which is the same after a restart, if it is free. */
export async function listenLocally(
  listener: RequestListener,
  port: number,
): Promise<Listening & { url: string }> {
  const host = '127.0.0.1';
  const next = port === 0 || port === 65_535 ? 0 : port + 1;
  const listening = await listen(listener, { host, port: next }).catch(() =>
    listen(listener, { host, port: 0 }),
  );
  return { ...listening, url: urlOf({ host, port: listening.port }, listening.port) };
}

/** An address that this machine reaches the server by. */
export function urlOf({ host, tls }: ListenOptions, port: number): string {
  const everywhere = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const name = everywhere.includes(':') ? `[${everywhere}]` : everywhere;
  return `${tls === undefined ? 'http' : 'https'}://${name}:${port}`;
}

async function readPem(value: string): Promise<string> {
  return value.includes('-----BEGIN') ? value : readFile(value, 'utf8');
}
