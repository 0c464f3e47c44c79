import type { Database } from '../store/database.ts';
import { findDeleted } from '../store/queries/find-deleted.ts';
import { findPending, findUnsettled } from '../store/queries/find-pending.ts';
import { beginTick, endTick, TICK_LEASE_MS } from '../store/transitions/begin-tick.ts';
import { dropLiveLogs } from '../store/transitions/drop-live-logs.ts';
import { expandList } from '../store/transitions/expand-list.ts';
import { expireLeases } from '../store/transitions/expire-leases.ts';
import { promoteRetries } from '../store/transitions/promote-retries.ts';
import { removeDeleted } from '../store/transitions/remove-deleted.ts';
import { settleStages } from '../store/transitions/settle-stages.ts';
import { skipAbandoned } from '../store/transitions/skip-abandoned.ts';
import { sweepBatch } from '../store/transitions/sweep-batch.ts';
import { sweepRetry } from '../store/transitions/sweep-retry.ts';
import { advanceChildren } from './advance-children.ts';

export interface TickDeps {
  readonly db: Database;
  readonly clock: { now(): number };
  readonly settings: { readonly lease_ms: number; readonly tick_ms: number };
  /** In [0, 1): spreads retries that failed together. None: all wait equally long. */
  readonly random?: () => number;
}

/** What a tick did; `busy`: another instance was at it and this one did nothing. */
export interface TickReport {
  readonly busy: boolean;
  readonly leases_lost: number;
  readonly chunks_expanded: number;
  readonly retries_released: number;
  readonly tasks_skipped: number;
  readonly stages_settled: number;
  readonly chunks_swept: number;
  readonly children_started: number;
  readonly children_ended: number;
  readonly children_cancelled: number;
  readonly children_paused: number;
  readonly logs_dropped: number;
  readonly rows_removed: number;
  readonly chunks_retried: number;
}

type Counts = { -readonly [K in Exclude<keyof TickReport, 'busy'>]: number };
/** Says whether there is time for one more chunk. */
type Budget = () => boolean;
type Step = (deps: TickDeps, counts: Counts, budget: Budget) => Promise<void>;

/** In the order of brain.md: leases, foreach, release, batches; tidying up comes last. Each commits by itself and may be repeated. */
const STEPS: readonly Step[] = [
  expireDead,
  promoteDue,
  advancePending,
  skipBelow,
  settleStalled,
  advanceBelow,
  dropLogs,
  removeOld,
];

/** Chunks of one tick: 25 of 10 to 20 ms, so that requests between them never wait long. */
const MAX_CHUNKS = 25;

/**
 * One round of everything that time causes, and of what a crash left half done. Guarded by a lease in the
 * database, so that two at once do no double work.
 */
export async function runTick(deps: TickDeps): Promise<TickReport> {
  const counts: Counts = {
    leases_lost: 0,
    chunks_expanded: 0,
    retries_released: 0,
    tasks_skipped: 0,
    stages_settled: 0,
    chunks_swept: 0,
    children_started: 0,
    children_ended: 0,
    children_cancelled: 0,
    children_paused: 0,
    logs_dropped: 0,
    rows_removed: 0,
    chunks_retried: 0,
  };
  const begun_at = deps.clock.now();
  if (!(await beginTick(deps.db, { now: begun_at, ...deps.settings }))) return { busy: true, ...counts };
  let chunks = 0;
  const budget = () => ++chunks <= MAX_CHUNKS && deps.clock.now() < begun_at + TICK_LEASE_MS;
  const failures: unknown[] = [];
  for (const step of STEPS) {
    // One step that fails must not keep the others from their work, least of all the leases of dead machines.
    await step(deps, counts, budget).catch((error: unknown) => failures.push(error));
  }
  await endTick(deps.db, { begun_at, now: deps.clock.now() });
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} steps of the tick failed.`);
  return { busy: false, ...counts };
}

async function expireDead({ db, clock, settings }: TickDeps, counts: Counts, budget: Budget): Promise<void> {
  while (budget()) {
    const lost = await expireLeases(db, { now: clock.now(), tick_ms: settings.tick_ms });
    counts.leases_lost += lost;
    if (lost === 0) return;
  }
}

async function promoteDue({ db, clock }: TickDeps, counts: Counts, budget: Budget): Promise<void> {
  while (budget()) {
    const promoted = await promoteRetries(db, { now: clock.now() });
    counts.retries_released += promoted;
    if (promoted === 0) return;
  }
}

async function advancePending(deps: TickDeps, counts: Counts, budget: Budget): Promise<void> {
  const advanced = await advance(deps, budget);
  counts.chunks_expanded += advanced.expanded;
  counts.chunks_swept += advanced.swept;
  counts.chunks_retried += advanced.retried;
}

/** Last, so that what the steps before have made ready or ended is not left to the next tick. */
async function advanceBelow(deps: TickDeps, counts: Counts, budget: Budget): Promise<void> {
  const done = await advanceChildren(deps, budget);
  counts.children_started += done.started;
  counts.children_ended += done.ended;
  counts.children_cancelled += done.cancelled;
  counts.children_paused += done.paused;
}

async function skipBelow({ db, clock }: TickDeps, counts: Counts): Promise<void> {
  counts.tasks_skipped += await skipAbandoned(db, { now: clock.now() });
}

async function settleStalled({ db, clock }: TickDeps, counts: Counts): Promise<void> {
  const stages = await findUnsettled(db);
  if (stages.length === 0) return;
  await settleStages(db, { stages, now: clock.now() });
  counts.stages_settled += stages.length;
}

async function dropLogs({ db }: TickDeps, counts: Counts, budget: Budget): Promise<void> {
  while (budget()) {
    const dropped = await dropLiveLogs(db);
    counts.logs_dropped += dropped;
    if (dropped === 0) return;
  }
}

async function removeOld({ db, clock }: TickDeps, counts: Counts, budget: Budget): Promise<void> {
  for (const seq of await findDeleted(db, clock.now())) {
    for (let more = true; more; ) {
      if (!budget()) return;
      const chunk = await removeDeleted(db, { seq });
      counts.rows_removed += chunk.removed;
      more = chunk.more;
    }
  }
}

export interface Advanced {
  readonly expanded: number;
  readonly swept: number;
  readonly retried: number;
  readonly more: boolean;
}

/** Work that goes on chunk by chunk. */
interface Pending {
  readonly kind: 'expanded' | 'swept' | 'retried';
  /** Does the next chunk; says whether there is another one. */
  next(): Promise<boolean>;
}

/**
 * Goes on with expansions, cancels and retries that are under way, one chunk of each in turn, so that a list of
 * 100,000 items does not hold up a list of ten. Safe beside a tick and beside itself: chunks are compare-and-set.
 */
export async function advance(deps: TickDeps, budget: Budget): Promise<Advanced> {
  const counts = { expanded: 0, swept: 0, retried: 0 };
  let pending = await listPending(deps);
  while (pending.length > 0) {
    const unfinished: Pending[] = [];
    for (const work of pending) {
      if (!budget()) return { ...counts, more: true };
      if (await work.next()) unfinished.push(work);
      counts[work.kind] += 1;
    }
    pending = unfinished;
  }
  return { ...counts, more: false };
}

async function listPending({ db, clock }: TickDeps): Promise<Pending[]> {
  const { lists, cancelling, retrying } = await findPending(db);
  return [
    ...lists.map((list) => ({
      kind: 'expanded' as const,
      next: async () => (await expandList(db, { list, now: clock.now() })).more,
    })),
    ...cancelling.map((batch_id) => ({
      kind: 'swept' as const,
      async next() {
        const sweep = await sweepBatch(db, { batch_id, now: clock.now() });
        return sweep.more && sweep.state === 'cancelling';
      },
    })),
    ...retrying.map((batch_id) => ({
      kind: 'retried' as const,
      next: async () => (await sweepRetry(db, { batch_id })).more,
    })),
  ];
}
