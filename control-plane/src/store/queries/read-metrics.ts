import type { BatchState, TaskCounts } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { type CountsRow, countsView } from './counts-view.ts';

const LIVE = `b.state IN ('active','paused','cancelling')`;

const BATCHES = `SELECT b.state, count(*) AS count FROM batches b WHERE ${LIVE} GROUP BY b.state`;

/** Ended batches are too many to be counted at each look: how the newest of all did, read from the end of the table. */
const RECENT = `SELECT state, count(*) AS count FROM batches
  WHERE seq > (SELECT max(seq) FROM batches) - :recent AND state IN ('succeeded','failed','cancelled') GROUP BY state`;

/** Numbers are never given twice, so that the last one tells how many there have been. */
const SUBMITTED = 'SELECT coalesce(max(seq), 0) AS submitted FROM batches';

/** The counters of the stages, never the tasks themselves. */
const TASKS = `SELECT coalesce(sum(s.total), 0) AS total,
    coalesce(sum(s.waiting + iif(s.state = 'open', 0, s.ready)), 0) AS waiting,
    coalesce(sum(iif(s.state = 'open', s.ready, 0)), 0) AS ready,
    coalesce(sum(s.leased), 0) AS leased, coalesce(sum(s.backoff), 0) AS backoff,
    coalesce(sum(s.succeeded), 0) AS succeeded, coalesce(sum(s.abandoned), 0) AS abandoned,
    coalesce(sum(s.skipped), 0) AS skipped, coalesce(sum(s.cancelled), 0) AS cancelled
  FROM batches b CROSS JOIN stages s ON s.batch_seq = b.seq WHERE ${LIVE}`;

const AGENTS = `SELECT a.slots, a.expires_at,
    (SELECT count(*) FROM tasks t WHERE t.agent_id = a.id AND t.state = 'leased') AS leased
  FROM agents a WHERE a.id > 0`;

const TICK = 'SELECT last_tick_at FROM brain WHERE id = 1';

/** Of how many batches the newest outcomes are counted. */
export const RECENT_BATCHES = 1_000;

export interface Metrics {
  /** Batches that have not ended. */
  readonly live_batches: Readonly<Partial<Record<BatchState, number>>>;
  /** Outcomes of the newest `RECENT_BATCHES`. */
  readonly recent_batches: Readonly<Partial<Record<BatchState, number>>>;
  readonly submitted: number;
  /** Of batches that have not ended. */
  readonly tasks: TaskCounts;
  readonly agents: readonly {
    readonly slots: number;
    readonly expires_at: number | null;
    readonly leased: number;
  }[];
  /** Ms since 1970; 0: none yet. */
  readonly last_tick_at: number;
}

/** What a monitoring system asks every few seconds: grows with the fleet and the live batches, not with their tasks. */
export async function readMetrics(db: Database): Promise<Metrics> {
  const [batches, recent, submitted, tasks, agents, tick] = await db.batch(
    [
      bindStatement(BATCHES, {}),
      bindStatement(RECENT, { recent: RECENT_BATCHES }),
      bindStatement(SUBMITTED, {}),
      bindStatement(TASKS, {}),
      bindStatement(AGENTS, {}),
      bindStatement(TICK, {}),
    ],
    'read',
  );
  const [counts] = readRows<CountsRow>(tasks);
  if (counts === undefined) throw new Error('A sum without a row.');
  return {
    live_batches: toRecord(readRows<StateRow>(batches)),
    recent_batches: toRecord(readRows<StateRow>(recent)),
    submitted: readRows<{ submitted: number }>(submitted)[0]?.submitted ?? 0,
    tasks: countsView(counts),
    agents: readRows<Metrics['agents'][number]>(agents),
    last_tick_at: readRows<{ last_tick_at: number }>(tick)[0]?.last_tick_at ?? 0,
  };
}

interface StateRow {
  state: BatchState;
  count: number;
}

function toRecord(rows: readonly StateRow[]): Partial<Record<BatchState, number>> {
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}
