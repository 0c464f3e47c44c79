import { rm } from 'node:fs/promises';
import type { LogUpload } from '../exec/finish-log.ts';
import { shortenLog } from '../exec/shorten-log.ts';
import { backOffMs } from '../http/back-off.ts';
import type { AgentLife } from './agent-life.ts';
import { leaseText } from './lease-book.ts';
import type { OutboxEntry } from './outbox.ts';
import { wait } from './wait.ts';

/** A report waits for its log as long as a log of 64 MB takes at 50 Mbit/s; then the log follows. */
const REPORT_PATIENCE_MS = 10_000;
/** A log that could not be delivered in this time stays on the machine. */
const GIVE_UP_MS = 3_600_000;

/**
 * Uploads the log that a report names. Resolves when the report can go: with its log there, or saying that it is
 * still on this machine. A log never costs a result, nor much time.
 */
export async function sendLog(life: AgentLife, entry: OutboxEntry, upload: LogUpload): Promise<void> {
  const { report } = entry.result;
  const delivery = deliverLog(life, upload).finally(() => tidyUp(upload, report.outcome === 'succeeded'));
  const patience = new AbortController();
  const isThere = await Promise.race([
    delivery,
    wait(life.deps.timers, REPORT_PATIENCE_MS, patience.signal).then(() => null),
  ]);
  patience.abort();
  if (isThere === true || report.log === undefined || life.signal.aborted) return;
  entry.result = { ...entry.result, report: { ...report, log: { ...report.log, kept: 'machine' } } };
  if (isThere === false) return;
  void delivery.then(async (came) => {
    if (!came) return;
    await life.outbox.whenGone(leaseText(report));
    const { stage, ordinal, attempt } = report;
    const arrived = [{ stage, ordinal, attempt, sha256: upload.sha256 }];
    await insist(life, () =>
      life.controlPlane.sendLogs({ session: life.session.session, chunks: [], arrived }, life.signal),
    );
  });
}

async function deliverLog(life: AgentLife, { sha256, file, size }: LogUpload): Promise<boolean> {
  const problem = await insist(life, () => life.controlPlane.uploadBlob(sha256, file, size, life.signal));
  if (problem === null) return true;
  if (!life.signal.aborted)
    life.log({
      level: 'warn',
      event: 'log_left',
      message: `The log ${file} stays on this machine: ${problem}`,
    });
  return false;
}

/** Repeats a request while it may yet succeed; says what was wrong in the end, null when nothing was. */
async function insist(
  life: AgentLife,
  request: () => ReturnType<AgentLife['controlPlane']['uploadBlob']>,
): Promise<string | null> {
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
