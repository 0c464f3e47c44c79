import { rm } from 'node:fs/promises';
import type { ErrorType, Outcome, Report } from '@planfleet/shared-types';
import { type Attempt, AttemptError } from './attempt.ts';
import type { AttemptResult, EndReason } from './attempt-order.ts';
import { checkProduced } from './check-produced.ts';
import { closeLog } from './close-log.ts';
import type { FinishedLog } from './finish-log.ts';
import { openLog } from './open-log.ts';
import { closeOutputs, openOutputs } from './open-outputs.ts';
import { readFileClock } from './output-ledger.ts';
import { isCopy } from './pin-file.ts';
import { prepareBatch } from './prepare-batch.ts';
import { preparePlan } from './prepare-plan.ts';
import { publishOutputs, publishRest } from './publish-outputs.ts';
import { readLists } from './read-lists.ts';
import { readSecrets } from './read-secrets.ts';
import { runCommand } from './run-command.ts';
import { runSetup } from './run-setup.ts';

const STEPS = [
  preparePlan,
  prepareBatch,
  readSecrets,
  openLog,
  runSetup,
  openOutputs,
  runCommand,
  checkProduced,
  readLists,
  publishOutputs,
] as const;

interface Verdict {
  readonly outcome: Outcome;
  readonly error_type: ErrorType | null;
  readonly message: string | null;
}

const ENDED: Readonly<Record<EndReason, Verdict>> = {
  stop: { outcome: 'stopped', error_type: null, message: 'Stopped on request' },
  aborted: { outcome: 'failed', error_type: 'worker', message: 'Aborted on request' },
  gone: { outcome: 'stopped', error_type: null, message: 'The lease was over' },
  returned: { outcome: 'returned', error_type: null, message: 'Handed back: the agent is leaving' },
  cut_off: {
    outcome: 'returned',
    error_type: null,
    message: 'Handed back: the control plane was out of reach, and others may have run it on the same files',
  },
};

/** Takes an attempt through its steps. The first thing that ends it is its verdict. */
export async function runAttempt(attempt: Attempt): Promise<AttemptResult> {
  const verdict = await takeSteps(attempt);
  const isSuccess = verdict.outcome === 'succeeded';
  // Only a success brings lists and files: those of a failure are half done.
  if (!isSuccess) {
    await closeOutputs(attempt, false);
    for (const { file } of [...attempt.chunk_files, ...attempt.uploads.filter(isCopy)])
      await rm(file, { force: true }).catch(() => undefined);
  }
  const held = isSuccess && attempt.leaves_files ? attempt.shop.carriers.hold(attempt) : null;
  // Those that it left its files to have ended while it was looking.
  if (isSuccess && attempt.leaves_files && held === null) await publishLate(attempt);
  const log = await closeLog(attempt);
  const result = {
    report: buildReport(attempt, verdict, log),
    chunk_files: isSuccess ? attempt.chunk_files : [],
    uploads: isSuccess ? [...attempt.uploads] : [],
    log_upload: log.upload,
  };
  return held === null ? result : { ...result, held: carryRest(attempt, result, held) };
}

/** The report once more, with the files that it was kept back for. */
async function carryRest(
  attempt: Attempt,
  result: AttemptResult,
  held: Promise<{ carries: boolean }>,
): Promise<AttemptResult> {
  if (!(await held).carries) return result;
  await publishLate(attempt);
  return { ...result, report: { ...result.report, files: attempt.files }, uploads: attempt.uploads };
}

async function publishLate(attempt: Attempt): Promise<void> {
  try {
    await publishRest(attempt, await readFileClock(attempt.batch_path));
  } catch (error) {
    const message = `Outputs were not listed: ${String(error)}`;
    attempt.shop.log({ level: 'warn', event: 'outputs_left', message });
  }
}

async function takeSteps(attempt: Attempt): Promise<Verdict> {
  for (const step of STEPS) {
    try {
      attempt.ending.signal.throwIfAborted();
      await step(attempt);
    } catch (error) {
      return judgeError(attempt, error);
    }
  }
  if (attempt.ending.reason !== null) return ENDED[attempt.ending.reason];
  return { outcome: 'succeeded', error_type: null, message: null };
}

function judgeError(attempt: Attempt, error: unknown): Verdict {
  const { reason } = attempt.ending;
  // A command that ran into its timeout before anybody wished it to end has failed by its timeout.
  if (reason !== null && attempt.exit?.timed_out !== true) return ENDED[reason];
  if (error instanceof AttemptError) {
    attempt.tail = error.tail ?? attempt.tail;
    return { outcome: 'failed', error_type: error.error_type, message: error.message };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { outcome: 'failed', error_type: 'worker', message: `The agent could not run the task: ${message}` };
}

function buildReport(attempt: Attempt, verdict: Verdict, { tail, log }: FinishedLog): Report {
  const isSuccess = verdict.outcome === 'succeeded';
  const { task, exit, shop } = attempt;
  return {
    stage: task.stage,
    ordinal: task.ordinal,
    lease: task.lease,
    attempt: task.attempt,
    outcome: verdict.outcome,
    error_type: verdict.error_type,
    message: verdict.message === null ? null : shorten(attempt.mask.text(verdict.message)),
    exit_code: exit?.exit_code ?? null,
    signal: exit?.signal ?? null,
    tail,
    started_at: attempt.started_at,
    ended_at: shop.clock.now(),
    lists: isSuccess ? attempt.lists : [],
    files: isSuccess ? [...attempt.files] : [],
    ...(log === undefined ? {} : { log }),
  };
}

/** A message may quote a path of 4,000 characters; half a character at the cut would not be valid text. */
function shorten(message: string): string {
  const clean = message.replaceAll('\0', '\uFFFD');
  if (clean.length <= 2_000) return clean;
  return `${clean.slice(0, 1_990).replace(/[\uD800-\uDBFF]$/, '')} ...`;
}
