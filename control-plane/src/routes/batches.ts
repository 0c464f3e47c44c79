import { ApiError, batchIdSchema } from '@planfleet/shared-types';
import { Hono, type HonoRequest } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { listBatches, readBatch } from '../store/queries/list-batches.ts';
import { findFile, listFiles } from '../store/queries/list-files.ts';
import { listStages } from '../store/queries/list-stages.ts';
import { listTasks } from '../store/queries/list-tasks.ts';
import { cancelBatch } from '../store/transitions/cancel-batch.ts';
import { answerArtifact } from './answer-artifact.ts';
import { parseInput } from './request/parse-input.ts';
import { batchesQuery, filesQuery, tasksQuery } from './request/queries.ts';
import { readQuery } from './request/read-query.ts';

export function batchRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, wake, brain } = deps;

  app.get('/', requireScope(deps, 'read'), async (c) => {
    const { limit, cursor } = readQuery(c.req, batchesQuery);
    return c.json(await listBatches(db, { limit, before: cursor }));
  });

  app.get('/:id', requireScope(deps, 'read'), async (c) => {
    const id = readBatchId(c.req);
    return c.json((await readBatch(db, id)) ?? noBatch(id));
  });

  app.get('/:id/stages', requireScope(deps, 'read'), async (c) => {
    const id = readBatchId(c.req);
    const items = (await listStages(db, id)) ?? noBatch(id);
    return c.json({ items, next_cursor: null });
  });

  app.get('/:id/tasks', requireScope(deps, 'read'), async (c) => {
    const batch_id = readBatchId(c.req);
    const { limit, state, stage, cursor: after } = readQuery(c.req, tasksQuery);
    const page = await listTasks(db, { batch_id, state, stage, limit, after });
    return c.json(page ?? noBatch(batch_id));
  });

  app.post('/:id/cancel', requireScope(deps, 'operate'), async (c) => {
    const batch_id = readBatchId(c.req);
    const result = await cancelBatch(db, { batch_id, now: clock.now() });
    if (!result.ok) {
      if (result.reason === 'not_found') noBatch(batch_id);
      throw new ApiError('conflict', `Batch ${batch_id} has already ended: ${result.state}.`, {
        details: { state: result.state },
      });
    }
    wake.notify();
    brain.kick();
    return c.json({ batch_id, state: result.state });
  });

  app.get('/:id/files', requireScope(deps, 'read'), async (c) => {
    const batch_id = readBatchId(c.req);
    const page = await listFiles(db, { batch_id, ...readQuery(c.req, filesQuery) });
    return c.json(page ?? noBatch(batch_id));
  });

  // Not `.+`: a task may give a file a name with a line end in it.
  app.get('/:id/files/:path{[\\s\\S]+}', requireScope(deps, 'read'), async (c) => {
    const batch_id = readBatchId(c.req);
    const path = c.req.param('path');
    const sha256 = await findFile(db, batch_id, path);
    if (sha256 === null) {
      throw new ApiError('not_found', `Batch ${batch_id} has no file ${path}.`, {
        hint: 'A file is there once the task that names it under produces has succeeded.',
      });
    }
    return answerArtifact(c, deps.artifacts, sha256);
  });

  return app;
}

function readBatchId(request: HonoRequest): string {
  return parseInput(batchIdSchema, request.param('id'));
}

function noBatch(id: string): never {
  throw new ApiError('not_found', `There is no batch ${id}.`);
}
