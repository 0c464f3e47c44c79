import { rm, stat } from 'node:fs/promises';
import type { Report } from '@planfleet/shared-types';
import type { LogUpload } from '../exec/finish-log.ts';
import { shortenLog } from '../exec/shorten-log.ts';
import type { Answer } from '../http/answer.ts';
import { backOffMs } from '../http/back-off.ts';
import type { AgentLife } from './agent-life.ts';
import { leaseText } from './lease-book.ts';
import type { OutboxEntry } from './outbox.ts';
import { wait } from './wait.ts';

/** A report waits for its log as long as a log of 64 MB takes at 50 Mbit/s; then the log follows. */
const REPORT_PATIENCE_MS = 10_000;
/** An agent that is leaving has 3 s for its last reports. */
const LEAVING_PATIENCE_MS = 1_000;
/** A log that could not be delivered in this time stays on the machine. */
const GIVE_UP_MS = 3_600_000;

/**
 * Uploads the log that a report names. Resolves when the report can go: with its log there, or saying that it is
 * still on this machine. A log never costs a result, nor much time.
 */
export async function sendLog(life: AgentLife, entry: OutboxEntry, upload: LogUpload): Promise<void> {
  const { report } = entry.result;
  const delivery = deliverLog(life, upload);
  const patience = new AbortController();
  const patienceMs = life.draining ? LEAVING_PATIENCE_MS : REPORT_PATIENCE_MS;
  const isThere = await Promise.race([
    delivery,
    wait(life.deps.timers, patienceMs, patience.signal).then(() => null),
  ]);
  patience.abort();
  if (life.signal.aborted) return;
  const { log_upload: _, ...result } = entry.result;
  if (isThere === true || report.log === undefined) entry.result = result;
  else entry.result = { ...result, report: { ...report, log: { ...report.log, kept: 'machine' } } };
  const rest = delivery
    .then(async (came) => {
      // What is not delivered when the agent ends is tried again at its next start, if its report has not gone either.
      if (life.signal.aborted) return;
      await tidyUp(upload, report.outcome === 'succeeded');
      if (came && isThere === null) await noteArrival(life, report, upload.sha256);
    })
    .finally(() => life.lateLogs.delete(rest));
  life.lateLogs.add(rest);
}

async function deliverLog(life: AgentLife, upload: LogUpload): Promise<boolean> {
  const { sha256, file, size } = upload;
  const problem = await insist(life, async () => {
    if (((await stat(file).catch(() => null))?.size ?? 0) < size) return findAtServer(life, sha256);
    return life.controlPlane.uploadBlob(sha256, file, size, life.signal);
  });
  if (problem === null) return true;
  if (!life.signal.aborted)
    life.log({
      level: 'warn',
      event: 'log_left',
      message: `The log ${upload.source} stays on this machine: ${problem}`,
    });
  return false;
}

/** A log that is gone from here may have been delivered by an earlier life of this agent. */
async function findAtServer(life: AgentLife, sha256: string): Promise<Answer<unknown>> {
  const answer = await life.controlPlane.findMissingBlobs([sha256], life.signal);
  if (answer.kind !== 'ok' || !answer.body.missing.includes(sha256)) return answer;
  return { kind: 'final', status: 404, code: 'not_found', message: 'it is gone' };
}

async function noteArrival(life: AgentLife, report: Report, sha256: string): Promise<void> {
  // Before its report there is nothing that it could be noted with.
  await life.outbox.whenGone(leaseText(report));
  const { stage, ordinal, attempt } = report;
  const arrived = [{ stage, ordinal, attempt, sha256 }];
  const { session } = life.session;
  await insist(life, () => life.controlPlane.sendLogs({ session, chunks: [], arrived }, life.signal));
}

/** Repeats a request while it may yet succeed; says what was wrong in the end, null when nothing was. */
async function insist(life: AgentLife, request: () => Promise<Answer<unknown>>): Promise<string | null> {
  const until = life.deps.clock.monotonic() + GIVE_UP_MS;
  for (let failures = 0; ; failures++) {
    const answer = await request();
    if (answer.kind === 'ok') return null;
    if (answer.kind !== 'retry' || life.signal.aborted || life.deps.clock.monotonic() > until)
      return answer.message;
    const delay = backOffMs(failures, life.deps.randomness.fraction(), answer.retry_after_ms);
    await wait(life.deps.timers, delay, life.signal);
  }
}

async function tidyUp(upload: LogUpload, isSuccess: boolean): Promise<void> {
  if (upload.file !== upload.source) await rm(upload.file, { force: true }).catch(() => undefined);
  // A log that cannot be cut is only long.
  if (isSuccess) await shortenLog(upload.source).catch(() => undefined);
}
