import { ApiError } from '@planfleet/shared-types';
import type { HonoRequest } from 'hono';
import { readBytes, TooManyBytesError } from '../../artifacts/read-bytes.ts';

/** The whole body. One that announces too much is refused before any of it is read. */
export async function readBody(request: HonoRequest, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  refuseLargeBody(request, limit);
  try {
    // No more can come than was announced. Node then reads the socket itself: through a web stream, most of a short
    // request's time would go into making the stream.
    if (announcedSize(request) !== null) return withinLimit(await request.raw.arrayBuffer(), limit);
    return await readBytes(request.raw.body, limit);
  } catch (error) {
    if (error instanceof TooManyBytesError) throw tooLarge(limit, error);
    throw new ApiError('bad_request', 'The body broke off.', { cause: error });
  }
}

/** A request that was made up by a program, not received, may announce anything. */
function withinLimit(body: ArrayBuffer, limit: number): Uint8Array<ArrayBuffer> {
  if (body.byteLength > limit) throw new TooManyBytesError(`More than ${limit} bytes.`);
  return new Uint8Array(body);
}

/** The size that the request announces; null when it does not. */
export function announcedSize(request: HonoRequest): number | null {
  const header = request.header('content-length');
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

export function refuseLargeBody(request: HonoRequest, limit: number): void {
  if ((announcedSize(request) ?? 0) > limit) throw tooLarge(limit);
}

export function tooLarge(limit: number, cause?: unknown): ApiError {
  return new ApiError('too_large', `The body is larger than ${limit} bytes.`, { cause, details: { limit } });
}

/** Text in UTF-8, without a byte order mark. */
export function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError('bad_request', `${what} is not UTF-8 text.`, { cause });
  }
}
