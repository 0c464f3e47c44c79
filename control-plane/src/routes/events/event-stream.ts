/** What every stream of server-sent events is answered with. */
export const eventStream = {
  'content-type': 'text/event-stream',
  // Neither kept nor changed on the way, and handed on at once.
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const;

/** A comment, so that proxies do not take a silent connection for dead. */
export const SIGN_OF_LIFE = ': still here\n\n';
