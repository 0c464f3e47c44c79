import type { BatchState, Signal, StageState, TaskAddress, TaskState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { IS_CPU } from '../statements/claim.ts';
import { sharesItem } from '../statements/shared-items.ts';
import { SIGNAL_KIND } from '../statements/signals.ts';

/** What an explanation is made from: the facts that claiming and releasing use. Times in ms since 1970. */
export interface AgentFacts {
  readonly name: string;
  readonly expires_at: number | null;
  readonly last_seen_at: number;
  readonly draining_at: number | null;
  readonly slots: number;
  readonly leased: number;
  readonly labels: readonly string[];
  readonly storage: string;
}

/** A stage that another one waits for as a whole. */
export interface StageAhead {
  readonly key: string;
  readonly state: StageState;
  readonly total: number;
  readonly succeeded: number;
  readonly leased: number;
  readonly abandoned: number;
  readonly skipped: number;
  readonly expanded: boolean;
}

export interface StageFacts extends StageAhead {
  readonly task_class: string;
  readonly is_cpu: boolean;
  readonly labels: readonly string[];
  readonly priority: number;
  /** The one storage where the files of the batch are; null: any. */
  readonly storage: string | null;
  readonly max_attempts: number;
  readonly waiting: number;
  readonly ready: number;
  readonly backoff: number;
  readonly cancelled: number;
  /** When the first of its retries is due. */
  readonly retry_at: number | null;
  /** Ready tasks that may be claimed and are of higher priority. */
  readonly ready_before: number;
  readonly list: {
    readonly path: string | null;
    readonly producer: string | null;
    readonly count: number | null;
    readonly cursor: number;
  } | null;
  /** All that it waits for as a whole and that are not done. */
  readonly ahead: readonly StageAhead[];
}

export interface BatchFacts {
  readonly now: number;
  readonly batch_id: string;
  readonly state: BatchState;
  readonly stages: readonly StageFacts[];
  readonly agents: readonly AgentFacts[];
}

export interface TaskFacts {
  readonly ordinal: number;
  readonly state: TaskState;
  readonly attempt: number;
  readonly tries: number;
  readonly losses: number;
  readonly not_before: number | null;
  readonly agent: string | null;
  readonly leased_at: number | null;
  readonly agent_seen_at: number | null;
  readonly signal: Signal | null;
  /** The batch that it started last (execute_plan). */
  readonly child?: string | null;
  readonly child_state?: BatchState | null;
  readonly last: {
    readonly outcome: string;
    readonly agent: string;
    readonly message: string | null;
    readonly ended_at: number;
  } | null;
  /** Tasks of its items that it waits for, at most ten, and how many there are. */
  readonly above: readonly { readonly key: string; readonly ordinal: number; readonly state: TaskState }[];
  readonly above_count: number;
}

/** As many as a person can read about. */
const AGENTS = 200;
const ABOVE = 10;

const READ_BATCH = 'SELECT id, state FROM batches WHERE id = :batch_id';

const READ_STAGES = `SELECT s.key, s.state, s.total, s.succeeded, s.leased, s.abandoned, s.expanded, s.class AS task_class, s.${IS_CPU} AS is_cpu,
    s.labels, s.priority, s.storage, s.max_attempts, s.waiting, s.ready, s.backoff, s.skipped, s.cancelled,
    iif(s.backoff = 0, NULL, (SELECT r.not_before FROM tasks r INDEXED BY tasks_backoff
      WHERE r.state = 'backoff' AND r.stage_id = s.id ORDER BY r.not_before LIMIT 1)) AS retry_at,
    iif(s.ready = 0, 0, (SELECT coalesce(sum(o.ready), 0) FROM stages o
      WHERE o.ready > 0 AND o.runnable = 1 AND o.${IS_CPU} AND o.priority > s.priority)) AS ready_before,
    l.id AS list_id, l.path, p.key AS producer, l.count, l.cursor,
    (SELECT json_group_array(json_object('key', a.key, 'state', a.state, 'total', a.total, 'succeeded', a.succeeded, 'leased', a.leased,
        'abandoned', a.abandoned, 'skipped', a.skipped, 'expanded', a.expanded))
      FROM stage_edges e JOIN stages a ON a.id = e.from_stage AND a.state <> 'done'
      WHERE e.to_stage = s.id AND e.kind = 'all') AS ahead
  FROM batches b JOIN stages s ON s.batch_seq = b.seq
    LEFT JOIN lists l ON l.id = s.list_id LEFT JOIN stages p ON p.id = l.producer_stage
  WHERE b.id = :batch_id ORDER BY s.position`;

const READ_AGENTS = `SELECT a.name, a.expires_at, a.last_seen_at, a.draining_at, a.slots, a.labels, a.storage,
    (SELECT count(*) FROM tasks t WHERE t.agent_id = a.id AND t.state = 'leased') AS leased
  FROM agents a WHERE a.id > 0 ORDER BY a.name LIMIT ${AGENTS}`;

const READ_TASK = `SELECT t.ordinal, t.state, t.attempt, t.tries, t.losses, t.not_before, t.leased_at, t.stop, ${SIGNAL_KIND},
    a.name AS agent, a.last_seen_at AS agent_seen_at, c.id AS child, c.state AS child_state
  FROM batches b JOIN stages s ON s.batch_seq = b.seq AND s.key = :stage_key
    JOIN tasks t ON t.stage_id = s.id AND t.ordinal = :ordinal
    LEFT JOIN agents a ON a.id = t.agent_id AND t.state = 'leased'
    LEFT JOIN batches c ON c.parent_stage = t.stage_id AND c.parent_ordinal = t.ordinal AND c.parent_attempt = t.attempt AND c.deleted_at IS NULL
  WHERE b.id = :batch_id`;

const READ_LAST = `SELECT h.outcome, a.name AS agent, h.message, h.ended_at
  FROM batches b JOIN stages s ON s.batch_seq = b.seq AND s.key = :stage_key
    JOIN attempts h ON h.stage_id = s.id AND h.ordinal = :ordinal JOIN agents a ON a.id = h.agent_id
  WHERE b.id = :batch_id ORDER BY h.attempt DESC LIMIT 1`;

const READ_ABOVE = `SELECT above.key, u.ordinal, u.state, count(*) OVER () AS n
  FROM batches b JOIN stages own ON own.batch_seq = b.seq AND own.key = :stage_key
    CROSS JOIN stage_edges e ON e.to_stage = own.id AND e.kind = 'item' CROSS JOIN stages above ON above.id = e.from_stage
    CROSS JOIN tasks u ON u.stage_id = above.id AND ${sharesItem('u', 'above', ':ordinal', 'own')} AND +u.state <> 'succeeded'
  WHERE b.id = :batch_id ORDER BY above.position, u.ordinal LIMIT ${ABOVE}`;

/** A batch with all its stages and the agents; null: there is none. */
export async function readBatchFacts(
  db: Database,
  options: { batch_id: string; now: number },
): Promise<BatchFacts | null> {
  const statements = [READ_BATCH, READ_STAGES, READ_AGENTS].map((sql) => bindStatement(sql, options));
  const [batch, stages, agents] = await db.batch(statements, 'read');
  const [row] = readRows<{ id: string; state: BatchState }>(batch);
  if (row === undefined) return null;
  return {
    now: options.now,
    batch_id: row.id,
    state: row.state,
    stages: readRows<StageRow>(stages).map(toStageFacts),
    agents: readRows<Omit<AgentFacts, 'labels'> & { labels: string }>(agents).map((agent) => ({
      ...agent,
      labels: JSON.parse(agent.labels) as string[],
    })),
  };
}

/** One task; null: it has not been made, or never will be. */
export async function readTaskFacts(db: Database, address: TaskAddress): Promise<TaskFacts | null> {
  const statements = [READ_TASK, READ_LAST, READ_ABOVE].map((sql) => bindStatement(sql, { ...address }));
  const [task, last, above] = await db.batch(statements, 'read');
  const [row] = readRows<TaskRow>(task);
  if (row === undefined) return null;
  const tasks = readRows<TaskFacts['above'][number] & { n: number }>(above);
  const { stop, kind, ...rest } = row;
  return {
    ...rest,
    signal: stop === null ? null : kind,
    last: readRows<NonNullable<TaskFacts['last']>>(last)[0] ?? null,
    above: tasks,
    above_count: tasks[0]?.n ?? 0,
  };
}

interface TaskRow extends Omit<TaskFacts, 'signal' | 'last' | 'above' | 'above_count'> {
  stop: number | null;
  kind: Signal;
}

interface StageRow extends Omit<StageFacts, 'labels' | 'is_cpu' | 'expanded' | 'list' | 'ahead'> {
  labels: string;
  is_cpu: number;
  expanded: number;
  list_id: number | null;
  path: string | null;
  producer: string | null;
  count: number | null;
  cursor: number | null;
  ahead: string;
}

function toStageFacts(row: StageRow): StageFacts {
  const { labels, is_cpu, expanded, list_id, path, producer, count, cursor, ahead, ...rest } = row;
  const before = JSON.parse(ahead) as (Omit<StageAhead, 'expanded'> & { expanded: number })[];
  return {
    ...rest,
    labels: JSON.parse(labels) as string[],
    is_cpu: is_cpu === 1,
    expanded: expanded === 1,
    list: list_id === null ? null : { path, producer, count, cursor: cursor ?? 0 },
    ahead: before.map((stage) => ({ ...stage, expanded: stage.expanded === 1 })),
  };
}
