/**
 * The artifact port: immutable bytes by their sha256. A blob is there wholly or not at all; what is put under a
 * hash that is not its own is refused.
 */
export interface ArtifactStore {
  /** Those of `sha256s` that are there. */
  has(sha256s: readonly string[]): Promise<ReadonlySet<string>>;
  /** `size` where it is known beforehand: R2 streams only what it knows the length of. Putting a blob twice is fine. */
  put(sha256: string, content: ReadableStream<Uint8Array>, size: number | null): Promise<void>;
  get(sha256: string): Promise<Artifact | null>;
  /** Deleting what is not there is fine. */
  delete(sha256: string): Promise<void>;
}

export interface Artifact {
  readonly size: number;
  readonly stream: ReadableStream<Uint8Array>;
}

/** What arrived does not have the sha256 it was announced with, or not the size. */
export class DigestMismatchError extends Error {
  override readonly name = 'DigestMismatchError';
}

/** The disk is full or the bucket away: nothing was stored, the same call may succeed later. */
export class ArtifactStoreError extends Error {
  override readonly name = 'ArtifactStoreError';
}
