import { ApiError } from '@planfleet/shared-types';
import { Hono } from 'hono';
import { type AppEnv, requireScope } from '../auth/require-scope.ts';
import type { Deps } from '../deps.ts';
import { cancelBatch } from '../store/transitions/cancel-batch.ts';
import { pauseBatch, resumeBatch } from '../store/transitions/pause-batch.ts';
import { retryBatch } from '../store/transitions/retry-batch.ts';
import { noBatch, readBatchId } from './request/read-batch-id.ts';

/** What operators do to a batch. */
export function batchOperationRoutes(deps: Deps): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  const { db, clock, wake, brain } = deps;

  for (const [action, transition] of [
    ['cancel', cancelBatch],
    ['pause', pauseBatch],
    ['resume', resumeBatch],
  ] as const) {
    app.post(`/:id/${action}`, requireScope(deps, 'operate'), async (c) => {
      const batch_id = readBatchId(c.req);
      const result = await transition(db, { batch_id, by: c.var.principal.subject, now: clock.now() });
      if (!result.ok) refuse(batch_id, action, result.state);
      wake.notify();
      brain.kick();
      return c.json({ batch_id, state: result.state });
    });
  }

  app.post('/:id/retry', requireScope(deps, 'operate'), async (c) => {
    const batch_id = readBatchId(c.req);
    const result = await retryBatch(db, { batch_id, by: c.var.principal.subject, now: clock.now() });
    if (!result.ok) {
      if (result.reason !== 'nothing_to_retry') refuse(batch_id, 'retry', result.state);
      throw new ApiError('conflict', `Batch ${batch_id} has no abandoned task: there is nothing to retry.`, {
        hint: 'What failed and is still tried again is not abandoned; planfleet explain says when.',
        details: { state: result.state },
      });
    }
    wake.notify();
    brain.kick();
    return c.json({ batch_id, state: result.state, tasks: result.tasks });
  });

  return app;
}

function refuse(batch_id: string, action: string, state: string | null): never {
  if (state === null) return noBatch(batch_id);
  const is = state === 'cancelling' ? 'is being cancelled' : `has already ended: ${state}`;
  const text = action === 'cancel' ? '' : `; it is too late to ${action} it`;
  throw new ApiError('conflict', `Batch ${batch_id} ${is}${text}.`, { details: { state } });
}
