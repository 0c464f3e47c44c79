/** More came than is allowed; the rest was not read. */
export class TooManyBytesError extends Error {
  override readonly name = 'TooManyBytesError';
}

/** All bytes of a stream, at most `limit` of them. */
export async function readBytes(
  stream: ReadableStream<Uint8Array> | null,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (stream !== null) {
    const reader = stream.pipeThrough(limitBytes(limit)).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      size += value.byteLength;
    }
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** Fails once more than `limit` bytes have passed. */
export function limitBytes(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.byteLength;
      if (size > limit) throw new TooManyBytesError(`More than ${limit} bytes.`);
      controller.enqueue(chunk);
    },
  });
}
