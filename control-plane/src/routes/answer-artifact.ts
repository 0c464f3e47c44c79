import { ApiError } from '@planfleet/shared-types';
import type { Context } from 'hono';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';

/** Streams a blob. It came from a task, so that a browser must neither guess a type for it nor show it as a page. */
export async function answerArtifact(
  c: Context,
  artifacts: ArtifactStore,
  sha256: string,
): Promise<Response> {
  const etag = `"${sha256}"`;
  if (c.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers: { etag } });
  const artifact = await artifacts.get(sha256);
  if (artifact === null) throw new ApiError('not_found', `The content ${sha256} is not stored here.`);
  // Hono answers HEAD by dropping the body of GET; the open file would wait for a reader for ever.
  const head = c.req.method === 'HEAD';
  if (head) await artifact.stream.cancel();
  return new Response(head ? null : artifact.stream, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(artifact.size),
      'content-disposition': 'attachment',
      'cache-control': 'private, max-age=31536000, immutable',
      etag,
      'x-content-type-options': 'nosniff',
    },
  });
}
