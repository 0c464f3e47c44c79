import { join } from 'node:path';
import { logName } from '@planfleet/shared-types';
import type { Attempt } from './attempt.ts';
import { type FinishedLog, finishLog } from './finish-log.ts';

/** The attempt writes no more: what is told of its output, whatever became of it. */
export async function closeLog(attempt: Attempt): Promise<FinishedLog> {
  const { shop, spec, task, log } = attempt;
  if (log === null) return { tail: attempt.tail };
  log.stopFollowing();
  const name = logName(task.name ?? (spec.has_list ? `${spec.key}_${task.ordinal}` : spec.key));
  const copy = join(shop.copies, `${task.stage}-${task.ordinal}-${task.lease}-log`);
  const finished = await finishLog(log.file, name, copy);
  // Of a Setup that another attempt has run, only the error brings the end of its output.
  return finished.log === undefined ? { ...finished, tail: attempt.tail } : finished;
}
