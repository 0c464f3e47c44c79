import { rm } from 'node:fs/promises';
import type { Upload } from '../exec/attempt-order.ts';
import { isCopy } from '../exec/pin-file.ts';
import type { AgentLife } from './agent-life.ts';
import type { OutboxEntry } from './outbox.ts';

/** After so many a process that nobody waits for writes on in it; the next success brings it. */
const MAX_CORRECTIONS = 5;

/** What is to be uploaded is not what the report says. */
export class ChangedFile extends Error {
  readonly upload: Upload;

  constructor(upload: Upload) {
    super(`${upload.source} was changed or removed before it was uploaded`);
    this.upload = upload;
  }
}

/**
 * Names in a report what a file holds now, or no longer names it when somebody else will. Never a failure:
 * the attempt did its work, and who wrote into the file since is not its fault.
 */
export async function correctReport(life: AgentLife, entry: OutboxEntry, changed: Upload): Promise<void> {
  entry.corrections += 1;
  const again = await life.runner.pinAgain(changed);
  const now = entry.corrections > MAX_CORRECTIONS ? null : again;
  if (isCopy(changed)) await rm(changed.file, { force: true }).catch(() => undefined);
  const { report, uploads } = entry.result;
  life.log({
    level: 'warn',
    event: 'file_changed',
    message: `${changed.source} was changed before it was uploaded${now === null ? '; the next task that succeeds brings it' : ''}`,
  });
  const files = report.files.flatMap((file) => {
    if (file.path !== changed.path) return [file];
    return now === null ? [] : [{ ...file, sha256: now.sha256, size: now.size }];
  });
  life.outbox.correct(entry, {
    ...entry.result,
    report: { ...report, files },
    uploads: uploads.flatMap((upload) => (upload !== changed ? [upload] : now === null ? [] : [now])),
  });
}
