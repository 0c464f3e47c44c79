/** The network: `fetch`, or `app.request` of a control plane in the same process. */
export type Transport = (url: string, init: TransportInit) => Promise<Response>;

export interface TransportInit {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly body?: string | ReadableStream<Uint8Array>;
  /** Needed by fetch when the body is a stream. */
  readonly duplex?: 'half';
}
