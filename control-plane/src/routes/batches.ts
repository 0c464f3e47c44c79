import { ApiError, type DeletedBatch } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import { explainBatch } from '../brain/explain/explain-batch.ts';
import type { Deps } from '../deps.ts';
import { listBatches, readBatch } from '../store/queries/list-batches.ts';
import { findFile, listFiles } from '../store/queries/list-files.ts';
import { listStages } from '../store/queries/list-stages.ts';
import { listTasks } from '../store/queries/list-tasks.ts';
import { listTimeline } from '../store/queries/list-timeline.ts';
import { readBatchFacts } from '../store/queries/read-facts.ts';
import { deleteBatch } from '../store/transitions/delete-batch.ts';
import { answerArtifact } from './answer-artifact.ts';
import { answerBatchEvents } from './events/answer-batch-events.ts';
import { answerLogFile } from './logs/answer-log-file.ts';
import { batchesQuery, filesQuery, stagesQuery, tasksQuery, timelineQuery } from './request/queries.ts';
import { noBatch, readBatchId } from './request/read-batch-id.ts';
import { readQuery } from './request/read-query.ts';

export function batchRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock } = deps;

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
    const { limit, cursor } = readQuery(c.req, stagesQuery);
    return c.json((await listStages(db, { batch_id: id, limit, after: cursor })) ?? noBatch(id));
  });

  app.get('/:id/tasks', requireScope(deps, 'read'), async (c) => {
    const batch_id = readBatchId(c.req);
    const { limit, state, stage, cursor } = readQuery(c.req, tasksQuery);
    const after = cursor === null ? null : { position: cursor[0], ordinal: cursor[1] };
    const page = await listTasks(db, { batch_id, state, stage, limit, after });
    return c.json(page ?? noBatch(batch_id));
  });

  app.get('/:id/timeline', requireScope(deps, 'read'), async (c) => {
    const batch_id = readBatchId(c.req);
    const { limit, cursor: after } = readQuery(c.req, timelineQuery);
    return c.json((await listTimeline(db, { batch_id, limit, after })) ?? noBatch(batch_id));
  });

  app.get('/:id/events', requireScope(deps, 'read'), async (c) => {
    return answerBatchEvents(c, deps, readBatchId(c.req));
  });

  app.get('/:id/explain', requireScope(deps, 'read'), async (c) => {
    const batch_id = readBatchId(c.req);
    const facts = await readBatchFacts(db, { batch_id, now: clock.now() });
    return c.json(facts === null ? noBatch(batch_id) : explainBatch(facts));
  });

  app.delete('/:id', requireScope(deps, 'operate'), async (c) => {
    const batch_id = readBatchId(c.req);
    const result = await deleteBatch(db, { batch_id, now: clock.now() });
    if (result.ok) return c.json({ batch_id, deleted: true } satisfies DeletedBatch);
    if (result.reason === 'not_found') noBatch(batch_id);
    throw new ApiError('conflict', `Batch ${batch_id} has not ended: it is ${result.state}.`, {
      hint: `Cancel it first: POST /v1/batches/${batch_id}/cancel (planfleet cancel ${batch_id})`,
      details: { state: result.state },
    });
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
    if (path.startsWith('logs/')) {
      const log = await answerLogFile(c, deps, batch_id, path);
      if (log !== null) return log;
    }
    const sha256 = await findFile(db, batch_id, path);
    if (sha256 === null) {
      throw new ApiError('not_found', `Batch ${batch_id} has no file ${path}.`, {
        hint: 'There are the logs of ended tasks, and what tasks wrote below an input marked (output file) or (output folder), once they have succeeded.',
      });
    }
    return answerArtifact(c, deps.artifacts, sha256);
  });

  return app;
}
