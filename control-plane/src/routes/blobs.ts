import { ApiError, missingRequestSchema, sha256Schema } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { DigestMismatchError } from '../artifacts/artifact-store.ts';
import { limitBytes, TooManyBytesError } from '../artifacts/read-bytes.ts';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { answerArtifact } from './answer-artifact.ts';
import { parseInput } from './request/parse-input.ts';
import { announcedSize, refuseLargeBody, tooLarge } from './request/read-body.ts';
import { readJson } from './request/read-json.ts';

export function blobRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { artifacts, settings } = deps;

  app.post('/missing', requireScope(deps, 'agent', 'submit'), async (c) => {
    const { sha256 } = await readJson(c.req, missingRequestSchema, settings.max_json_bytes);
    const wanted = [...new Set(sha256)];
    const there = await artifacts.has(wanted);
    return c.json({ missing: wanted.filter((each) => !there.has(each)) });
  });

  app.put('/:sha256', requireScope(deps, 'agent', 'submit'), async (c) => {
    const sha256 = parseInput(sha256Schema, c.req.param('sha256'));
    const limit = settings.max_blob_bytes;
    refuseLargeBody(c.req, limit);
    const body = c.req.raw.body ?? new Blob([]).stream();
    try {
      await artifacts.put(sha256, body.pipeThrough(limitBytes(limit)), announcedSize(c.req));
    } catch (error) {
      if (error instanceof TooManyBytesError) throw tooLarge(limit, error);
      if (!(error instanceof DigestMismatchError)) throw error;
      throw new ApiError('invalid', `${error.message} It was announced as ${sha256}; nothing was stored.`);
    }
    return c.json({ sha256 }, 201);
  });

  app.get('/:sha256', requireScope(deps, 'agent', 'read'), async (c) => {
    const sha256 = parseInput(sha256Schema, c.req.param('sha256'));
    return answerArtifact(c, artifacts, sha256);
  });

  return app;
}
