import { mkdir, realpath, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { type Attempt, AttemptError } from './attempt.ts';
import { type FoundFile, stampOf } from './folder-cache.ts';
import { closeOutputs, type OutputWriter } from './open-outputs.ts';
import { pinFile } from './pin-file.ts';

/** As many as one report can name. */
const MAX_FILES = 10_000;

/**
 * The files of the outputs that the attempt names, hashed, for its report: all that are new or changed and
 * that nobody who still runs can have written. The others are left to the last of those, whose report
 * brings them; so an attempt that overlaps with others often brings files of theirs, or none at all.
 */
export async function publishOutputs(attempt: Attempt): Promise<void> {
  if (attempt.outputs.length === 0) return;
  await publishRest(attempt, await closeOutputs(attempt, true));
}

/** The same once more, when the last that could have written the rest has ended. */
export async function publishRest(attempt: Attempt, now: bigint): Promise<void> {
  attempt.leaves_files = false;
  await mkdir(attempt.shop.copies, { recursive: true });
  const top = await realpath(attempt.batch_path);
  for (const output of attempt.outputs) await publishOutput(attempt, output, top, now);
}

async function publishOutput(
  attempt: Attempt,
  output: OutputWriter,
  top: string,
  now: bigint,
): Promise<void> {
  const { ledger, folders } = output.book;
  if (!ledger.isWorthListing) {
    attempt.leaves_files = true;
    return;
  }
  const finish = ledger.startListing();
  let own = 0;
  let isComplete = true;
  for await (const found of folders.walk(output.path, top, now)) {
    attempt.ending.signal.throwIfAborted();
    const stamp = stampOf(found.stat);
    if (ledger.isSettled(found.file, stamp)) continue;
    const judgement = ledger.judge(found.changed);
    if (judgement === 'wait') {
      attempt.leaves_files = true;
      continue;
    }
    if (judgement === 'publish') {
      own += ledger.isShared(found.changed, output.writer) ? 0 : 1;
      if (own > MAX_FILES) {
        throw new AttemptError(
          'worker',
          `${output.path} holds more than ${MAX_FILES} files; pack them into one`,
        );
      }
      // The rest comes with the next success: no attempt fails by what others have written.
      isComplete = attempt.files.length < MAX_FILES;
      if (!isComplete) break;
    }
    // Settled before it is read, so that two attempts which end together do not both bring it.
    ledger.settle(found.file, stamp);
    if (judgement === 'publish' && !(await addFile(attempt, found, stamp, top))) ledger.unsettle(found.file);
  }
  if (isComplete) finish();
}

/** False when the file changes again already. */
async function addFile(
  attempt: Attempt,
  { file, stat }: FoundFile,
  stamp: string,
  top: string,
): Promise<boolean> {
  const { shop, task } = attempt;
  const copy = join(shop.copies, `${task.stage}-${task.ordinal}-${task.lease}-${attempt.uploads.length}`);
  const pinned = await pinFile(file, copy, stamp);
  if (pinned === null) return false;
  const { sha256, size } = pinned;
  if (shop.ledgers.isTold(file, sha256)) {
    if (pinned.file === copy) await rm(copy, { force: true });
    return true;
  }
  const steps = relative(top, join(await realpath(dirname(file)), basename(file))).split(sep);
  const path = steps.join('/');
  attempt.files.push({ path, sha256, size, mode: Number(stat.mode) & 0o777 });
  attempt.uploads.push({ ...pinned, source: file, path, stamp });
  return true;
}
