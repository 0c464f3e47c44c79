import type { ClaimRequest, LeaseKey, Report, ResultsAnswer } from '@planfleet/shared-types';
import { type Database, type ResultSet, readRows, type Statement, toJson } from '../database.ts';
import { claim, readLeases, touchAgent } from '../statements/claim.ts';
import { expand } from '../statements/expand.ts';
import { FINISH_INSPECTED, finish } from '../statements/finish.ts';
import { askPendingChildren } from '../statements/hold.ts';
import { promote } from '../statements/promote.ts';
import { release } from '../statements/release.ts';
import { settle } from '../statements/settle.ts';
import { skip } from '../statements/skip.ts';
import { readClaimAnswer } from './claim-answer.ts';
import { settleEmptyStages } from './settle-stages.ts';

export interface FinishRequest {
  readonly agent: string;
  readonly session: number;
  readonly reports: readonly Report[];
  /** The next tasks in the same batch; null: none. */
  readonly claim: ClaimRequest | null;
  readonly now: number;
  readonly lease_ms: number;
  readonly random: () => number;
}

/** Spread of a retry: 41 steps of one percent, see statements/finish.ts. */
const JITTER_STEPS = 41;

/**
 * COMPLETE-AND-CLAIM: reports end attempts, release and settle what that unblocks, and the agent gets its next
 * tasks, in one batch. `brain_due`: a list was reported whose tasks the brain goes on making, or a child batch is to be
 * started or has ended.
 */
export async function finishAttempts(
  db: Database,
  request: FinishRequest,
): Promise<
  { ok: true; answer: ResultsAnswer; brain_due: boolean } | { ok: false; reason: 'session_superseded' }
> {
  const { agent, session, now, lease_ms } = request;
  const reports = dropDuplicates(request.reports);
  const lists = [...new Set(reports.flatMap((report) => report.lists.map((list) => list.list)))];
  const statements: Statement[] = [touchAgent({ agent, session, now, lease_ms })];
  let settleAt = 0;
  if (reports.length > 0) {
    const rows = toJson(reports.map(reportRow));
    // One that was stopped by an operator's abort has failed too.
    const failed = reports.some(({ outcome }) => outcome === 'failed' || outcome === 'stopped');
    statements.push(
      ...finish({
        agent,
        reports: rows,
        details: toJson(reports.map(detailRow)),
        files: reports.flatMap(fileRows),
        logs: logRows(reports),
        brings_failures: failed,
        brings_lists: lists.length > 0,
        now,
        seed: Math.floor(request.random() * JITTER_STEPS),
      }),
    );
    statements.push(...release(rows));
    if (failed) statements.push(...skip(rows));
    // The first chunk of a short list is dispatched by this very answer.
    if (lists.length > 0) statements.push(...expand(lists, now));
    settleAt = statements.length;
    statements.push(...settle({ stages: [...new Set(reports.map((report) => report.stage))], lists, now }));
  }
  let leasesAt = 0;
  if (request.claim !== null) {
    const { slots, have } = request.claim;
    statements.push(...promote(now), ...claim({ agent, session, slots, have, now }));
    leasesAt = statements.length;
    statements.push(...readLeases({ agent, session, have }));
  }
  statements.push(askPendingChildren());
  const results = await db.batch([...statements], 'write');
  if (settleAt > 0) await settleEmptyStages(db, results, settleAt, now);
  if (readRows(results[0]).length === 0) return { ok: false, reason: 'session_superseded' };
  return {
    ok: true,
    answer: {
      results: judgeReports(request.reports, results),
      claim: leasesAt > 0 ? readClaimAnswer(results, leasesAt) : null,
    },
    brain_due:
      lists.length > 0 || Number(readRows<{ pending: number }>(results.at(-1))[0]?.pending ?? 0) === 1,
  };
}

/** The same message twice in one request counts once; an older lease of the same task is a message of its own. */
function dropDuplicates(reports: readonly Report[]): Report[] {
  return [...new Map(reports.map((report) => [keyOf(report), report])).values()];
}

function judgeReports(reports: readonly Report[], results: readonly ResultSet[]): ResultsAnswer['results'] {
  if (reports.length === 0) return [];
  // The touch comes before the statements of FINISH.
  const inspected = readRows<LeaseKey & { incomplete: number }>(results[1 + FINISH_INSPECTED]);
  const judgements = new Map(inspected.map((row) => [keyOf(row), Number(row.incomplete) === 1]));
  return reports.map((report) => {
    const incomplete = judgements.get(keyOf(report));
    if (incomplete === undefined) return 'lease_lost';
    return incomplete ? 'items_incomplete' : 'accepted';
  });
}

function keyOf(row: LeaseKey): string {
  return `${row.stage}:${row.ordinal}:${row.lease}`;
}

function reportRow(report: Report): unknown[] {
  const lists = report.lists.map((list) => [list.list, list.count, list.chunks]);
  return [report.stage, report.ordinal, report.lease, report.outcome, lists];
}

function detailRow(report: Report): unknown[] {
  const { error_type, message, exit_code, signal, started_at, ended_at, tail } = report;
  return [error_type, message, exit_code, signal, started_at, ended_at, tail];
}

function fileRows(report: Report, place: number): unknown[][] {
  return report.files.map((file) => [place, file.path, file.sha256, file.size, file.mode]);
}

function logRows(reports: readonly Report[]): unknown[][] {
  const names = new Set<string>();
  return reports.flatMap(({ log, attempt }, place) => {
    if (log === undefined) return [];
    const path = `${log.name}.${attempt}`;
    const isTwice = names.has(path);
    names.add(path);
    return [[place, log.name, isTwice, log.size, log.head, log.tail, log.stored, log.sha256, log.kept]];
  });
}
