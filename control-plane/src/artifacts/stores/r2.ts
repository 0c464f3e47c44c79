import { type ArtifactStore, ArtifactStoreError, DigestMismatchError } from '../artifact-store.ts';
import { readBytes, TooManyBytesError } from '../read-bytes.ts';

/** What we use of a Workers R2 binding. */
export interface R2Bucket {
  head(key: string): Promise<{ readonly size: number } | null>;
  get(key: string): Promise<{ readonly size: number; readonly body: ReadableStream<Uint8Array> } | null>;
  put(
    key: string,
    value: ReadableStream<Uint8Array> | Uint8Array,
    options: { sha256: string },
  ): Promise<unknown>;
  delete(key: string): Promise<void>;
}

/** The Workers stream that tells R2 how much will come. */
declare const FixedLengthStream: new (
  length: number,
) => { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<Uint8Array> };

/** Of unknown length and so held in memory, of which a Worker has 128 MB. */
const MAX_HELD_BYTES = 32 << 20;
/** Simultaneous connections that a Worker may have open. */
const HEADS_AT_ONCE = 6;

/** Artifacts in R2, which verifies the hash itself and shows an object only when it is whole. */
export function openR2Store(bucket: R2Bucket): ArtifactStore {
  return {
    async has(sha256s) {
      const found = new Set<string>();
      for (let start = 0; start < sha256s.length; start += HEADS_AT_ONCE) {
        const some = sha256s.slice(start, start + HEADS_AT_ONCE);
        const heads = await guardStore(() => Promise.all(some.map((sha256) => bucket.head(keyOf(sha256)))));
        some.forEach((sha256, index) => {
          if (heads[index] !== null) found.add(sha256);
        });
      }
      return found;
    },

    async put(sha256, content, size) {
      if (size === null) await putWhole(bucket, sha256, await readWhole(content));
      else await putStream(bucket, sha256, content, size);
    },

    async get(sha256) {
      const object = await guardStore(() => bucket.get(keyOf(sha256)));
      return object === null ? null : { size: object.size, stream: object.body };
    },

    async delete(sha256) {
      await guardStore(() => bucket.delete(keyOf(sha256)));
    },
  };
}

function keyOf(sha256: string): string {
  return `blobs/${sha256}`;
}

async function putStream(
  bucket: R2Bucket,
  sha256: string,
  content: ReadableStream<Uint8Array>,
  size: number,
): Promise<void> {
  const fixed = new FixedLengthStream(size);
  let arrived = 0;
  let ended = false;
  let failure: unknown;
  const counted = content.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        arrived += chunk.byteLength;
        controller.enqueue(chunk);
      },
      flush() {
        ended = true;
      },
    }),
  );
  const piped = counted.pipeTo(fixed.writable).catch((error: unknown) => {
    failure = error;
  });
  try {
    await bucket.put(keyOf(sha256), fixed.readable, { sha256 });
  } catch (error) {
    await piped;
    // The stream of fixed length fails on too many bytes and on too few; what it says differs by version.
    if (arrived > size || (ended && arrived < size)) {
      throw new DigestMismatchError(`${arrived} bytes arrived, not ${size}.`, { cause: error });
    }
    // The sender's own failure (it went away, the body is too large) is not the bucket's.
    throw ended ? toStoreError(error) : (failure ?? toStoreError(error));
  }
}

async function putWhole(bucket: R2Bucket, sha256: string, content: Uint8Array): Promise<void> {
  try {
    await bucket.put(keyOf(sha256), content, { sha256 });
  } catch (error) {
    throw toStoreError(error);
  }
}

async function readWhole(content: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  try {
    return await readBytes(content, MAX_HELD_BYTES);
  } catch (error) {
    if (!(error instanceof TooManyBytesError)) throw error;
    throw new ArtifactStoreError('A blob this large must be sent with its Content-Length.', { cause: error });
  }
}

async function guardStore<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toStoreError(error);
  }
}

/** R2 tells a wrong checksum by its code 10037 in the text of the error. */
function toStoreError(error: unknown): Error {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes('10037') || /checksum/i.test(text)) {
    return new DigestMismatchError('What arrived has another sha256.', { cause: error });
  }
  return new ArtifactStoreError('The artifact bucket does not answer.', { cause: error });
}
