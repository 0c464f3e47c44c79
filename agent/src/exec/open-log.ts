import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attempt } from './attempt.ts';
import { AttemptLog } from './attempt-log.ts';

/** From here on the attempt may write its log: that of Setup, where it is the one that runs it, and its command's. */
export async function openLog(attempt: Attempt): Promise<void> {
  const { shop, spec, task } = attempt;
  const hasSetup = spec.setup !== null && spec.setup.trim() !== '';
  if (spec.command === null && !hasSetup) return;
  const log = new AttemptLog({
    task,
    file: join(attempt.batch_path, 'logs', `${spec.key}.${task.ordinal}.${task.attempt}.log`),
    mask: attempt.mask,
    cap: shop.log_cap,
    onTooLarge: (reason) =>
      shop.log({
        level: 'warn',
        event: 'log_cap',
        message: `The log ${spec.key}.${task.ordinal}.${task.attempt} is over its cap, and this disk takes back no part of a file; it grows on`,
        details: { reason },
      }),
  });
  // All that runs in an attempt appends to it. That it is there lets it be watched; a disk that is full fails the start.
  await writeFile(log.file, '').catch(() => undefined);
  attempt.log = { file: log, stopFollowing: shop.logs.follow(log) };
}
