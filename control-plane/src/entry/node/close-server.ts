import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that are under way get this long when the server closes; all but uploads take milliseconds. */
const CLOSE_GRACE_MS = 5_000;
/** A request that was sent before the server closed has been read by then. */
const UNUSED_GRACE_MS = 200;

/**
 * What comes back closes the server once all that is under way was answered. Call it before the first connection: a
 * client may open some in advance, and Node takes those that have not carried a request yet for busy.
 */
export function prepareClose(server: Server): () => Promise<void> {
  const unused = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    unused.set(key, socket);
    socket.once('close', () => {
      if (unused.get(key) === socket) unused.delete(key);
    });
  });
  // With TLS it comes with another socket than the connection did.
  server.on('request', ({ socket }) => unused.delete(keyOf(socket)));

  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    // A kept connection becomes idle only once its last answer is out, so they are looked for again and again.
    const sweep = setInterval(() => server.closeIdleConnections(), 20);
    const drop = setTimeout(() => {
      for (const socket of unused.values()) socket.destroy();
    }, UNUSED_GRACE_MS);
    const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearInterval(sweep);
    clearTimeout(drop);
    clearTimeout(deadline);
  };
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
