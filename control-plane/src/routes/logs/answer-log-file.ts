import { ApiError } from '@planfleet/shared-types';
import type { Context } from 'hono';
import type { Deps } from '../../deps.ts';
import { findLog } from '../../store/queries/read-log.ts';
import { answerArtifact } from '../answer-artifact.ts';

/** The log of an attempt as a file of its batch; null: there is none at this path. */
export async function answerLogFile(
  c: Context,
  deps: Deps,
  batchId: string,
  path: string,
): Promise<Response | null> {
  const log = await findLog(deps.db, batchId, path);
  if (log === null) return null;
  if (log.kept === 'blob') return answerArtifact(c, deps.artifacts, log.sha256);
  if (log.kept === 'machine') {
    throw new ApiError('not_found', `${path} has not come from the machine of its agent, ${log.agent}.`, {
      hint: 'It may follow. The end of the output is with the attempt.',
    });
  }
  const bytes = new TextEncoder().encode(log.text);
  return new Response(c.req.method === 'HEAD' ? null : bytes, {
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.length),
      'content-disposition': 'attachment',
      etag: `"${log.sha256}"`,
      'x-content-type-options': 'nosniff',
    },
  });
}
