import { bindStatement, type Database, readRows, toJson } from '../database.ts';
import { IS_CPU } from '../statements/claim.ts';
import { IS_UNTOLD } from '../statements/signals.ts';

/** Ready tasks that share what they ask of an agent. */
export interface Lane {
  readonly ready: number;
  readonly labels: readonly string[];
  /** The one storage whose agents may take from it; null: any. */
  readonly storage: string | null;
}

/** What a waiting agent offers beside its slots. */
export interface WaitingAgent {
  readonly name: string;
  readonly labels: readonly string[];
  readonly storage: string;
  readonly has_stops: boolean;
  /** Takes nothing new. */
  readonly is_draining: boolean;
  /** Tasks that it holds. */
  readonly leased: number;
}

export interface Demand {
  /** Some agent was not heard of in time: a claim takes its tasks back, so one waiter is to come. */
  readonly expired: boolean;
  readonly lanes: readonly Lane[];
  readonly agents: readonly WaitingAgent[];
}

/** More lanes than a claim looks at: agents with other labels or storage need other ones. */
const LANES = 200;

const READ_LANES = `SELECT ready, labels, storage FROM stages
  WHERE ready > 0 AND runnable = 1 AND ${IS_CPU}
  ORDER BY priority DESC, served, id LIMIT ${LANES}`;

/** Retries that are due but not yet promoted count as ready: a claim promotes them. */
const READ_DUE = `SELECT count(*) AS ready, s.labels, s.storage
  FROM (SELECT stage_id FROM tasks WHERE state = 'backoff' AND not_before <= :now LIMIT 1000) due
    CROSS JOIN stages s ON s.id = due.stage_id
  WHERE s.runnable = 1 AND s.${IS_CPU}
  GROUP BY s.id`;

const READ_AGENTS = `SELECT a.name, a.labels, a.storage, a.draining_at IS NOT NULL AS is_draining,
    EXISTS (SELECT 1 FROM tasks t WHERE t.agent_id = a.id AND t.state = 'leased' AND t.${IS_UNTOLD}) AS has_stops,
    (SELECT count(*) FROM tasks t WHERE t.agent_id = a.id AND t.state = 'leased') AS leased
  FROM json_each(:names) n CROSS JOIN agents a ON a.name = n.value`;

const READ_EXPIRED = 'SELECT EXISTS (SELECT 1 FROM agents WHERE expires_at < :now) AS expired';

/** What there is to do, and what those who wait for it are. One read for all waiters of an instance. */
export async function readDemand(db: Database, names: readonly string[], now: number): Promise<Demand> {
  const [lanes, due, agents, expired] = await db.batch(
    [
      bindStatement(READ_LANES, {}),
      bindStatement(READ_DUE, { now }),
      bindStatement(READ_AGENTS, { names: toJson(names) }),
      bindStatement(READ_EXPIRED, { now }),
    ],
    'read',
  );
  return {
    expired: readRows<{ expired: number }>(expired)[0]?.expired === 1,
    lanes: [...readRows<LaneRow>(lanes), ...readRows<LaneRow>(due)].map((row) => ({
      ...row,
      labels: JSON.parse(row.labels) as string[],
    })),
    agents: readRows<AgentRow>(agents).map((row) => ({
      name: row.name,
      labels: JSON.parse(row.labels) as string[],
      storage: row.storage,
      has_stops: row.has_stops === 1,
      is_draining: row.is_draining === 1,
      leased: row.leased,
    })),
  };
}

interface LaneRow {
  ready: number;
  labels: string;
  storage: string | null;
}

interface AgentRow {
  name: string;
  labels: string;
  storage: string;
  has_stops: number;
  is_draining: number;
  leased: number;
}
