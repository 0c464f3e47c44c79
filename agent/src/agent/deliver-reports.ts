import { MAX_REPORTS, type ResultsAnswer } from '@planfleet/shared-types';
import { backOffMs } from '../http/back-off.ts';
import type { AgentLife } from './agent-life.ts';
import type { OutboxEntry } from './outbox.ts';
import { refusedResult } from './refused-result.ts';
import { wait } from './wait.ts';

/** Tails fill a request: 64 of the largest fit, which is what a control plane reads without trouble. */
const MAX_REQUEST_BYTES = 4_000_000;
/** After so many rounds its lists and files will not become complete by sending them once more. */
const MAX_INCOMPLETE = 5;

/**
 * Posts reports as soon as there are any, one request at a time; while it is under way others gather. The
 * same request claims, so that the answer brings the next tasks.
 */
export async function runDelivery(life: AgentLife): Promise<void> {
  let failures = 0;
  let limit = MAX_REPORTS;
  while (!life.signal.aborted) {
    const entries = pickEntries(life.outbox.entries.values(), limit);
    if (entries.length === 0) {
      await life.outbox.ready.wait(life.signal);
      continue;
    }
    const sentAt = life.deps.clock.monotonic();
    const ticket = life.book.openRequest();
    const answer = await life.controlPlane.sendResults(
      {
        session: life.session.session,
        reports: entries.map((entry) => entry.result.report),
        claim: life.claimRequest(),
      },
      life.signal,
    );
    if (answer.kind === 'ok' && answer.body.results.length === entries.length) {
      failures = 0;
      limit = MAX_REPORTS;
      life.noteHeard(sentAt);
      settle(life, entries, answer.body);
      life.book.closeRequest(ticket);
      continue;
    }
    life.book.closeRequest(ticket);
    if (life.signal.aborted || (answer.kind !== 'ok' && life.endsAgent(answer))) return;
    if (answer.kind === 'final') {
      // One report may have made all of them unacceptable: halves find it.
      if (entries.length > 1) limit = Math.ceil(entries.length / 2);
      else for (const entry of entries) replaceRefused(life, entry, answer.message);
      continue;
    }
    if (failures === 0) {
      const message = answer.kind === 'ok' ? 'an answer for another number of reports' : answer.message;
      life.log({
        level: 'warn',
        event: 'results_failed',
        message: `Cannot deliver reports: ${message}; they wait on disk`,
      });
    }
    const retryAfter = answer.kind === 'retry' ? answer.retry_after_ms : null;
    await wait(
      life.deps.timers,
      backOffMs(failures, life.deps.randomness.fraction(), retryAfter),
      life.signal,
    );
    failures += 1;
  }
}

function pickEntries(all: Iterable<OutboxEntry>, limit: number): OutboxEntry[] {
  const picked: OutboxEntry[] = [];
  let bytes = 0;
  for (const entry of all) {
    if (entry.state !== 'ready') continue;
    const { report } = entry.result;
    bytes += 1_000 + report.tail.length + report.files.length * 200 + report.lists.length * 100;
    if (picked.length >= limit || (picked.length > 0 && bytes > MAX_REQUEST_BYTES)) break;
    picked.push(entry);
  }
  return picked;
}

function settle(life: AgentLife, entries: readonly OutboxEntry[], answer: ResultsAnswer): void {
  const done: OutboxEntry[] = [];
  entries.forEach((entry, index) => {
    const verdict = answer.results[index];
    if (verdict === 'items_incomplete' || verdict === 'files_missing') {
      entry.incomplete += 1;
      if (entry.incomplete >= MAX_INCOMPLETE)
        replaceRefused(life, entry, 'its lists or files never became complete');
      else life.sendAttached(entry);
      return;
    }
    if (verdict === 'accepted') life.runner.noteAccepted(entry.result);
    else life.runner.noteRefused(entry.result);
    done.push(entry);
  });
  // The new leases come in before the old ones go, so that slots never look free to a claim in between.
  if (answer.claim !== null) life.takeIn(answer.claim);
  for (const entry of done) life.book.release(entry.result.report);
  if (done.length > 0) life.outbox.remove(done);
}

/** A report that the control plane cannot take is replaced by one that says so; the task is not lost in silence. */
function replaceRefused(life: AgentLife, entry: OutboxEntry, reason: string): void {
  const { report } = entry.result;
  const again = refusedResult(entry.result, reason);
  life.runner.noteRefused(entry.result);
  life.log({
    level: 'error',
    event: 'report_refused',
    message: `The report of stage ${report.stage}, task ${report.ordinal} was refused: ${reason}`,
    details: { report: { ...report, tail: report.tail.slice(-1_000) } },
  });
  if (again === null) {
    life.outbox.remove([entry]);
    life.book.release(report);
    return;
  }
  life.outbox.replace(entry, again);
}
