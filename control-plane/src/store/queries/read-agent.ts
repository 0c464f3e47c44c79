import { type AgentDetail, formatTaskId, type Signal } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { SIGNAL_KIND } from '../statements/signals.ts';
import { type AgentRow, toAgentView } from './list-agents.ts';
import { toIso, toIsoOrNull } from './view-time.ts';

const READ = `SELECT a.*, (SELECT count(*) FROM tasks t WHERE t.agent_id = a.id AND t.state = 'leased') AS leased
  FROM agents a WHERE a.name = :name`;

const READ_TASKS = `SELECT b.id AS batch_id, s.key, t.ordinal, t.attempt, t.leased_at, t.stop, ${SIGNAL_KIND}
  FROM agents a CROSS JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
    JOIN stages s ON s.id = t.stage_id JOIN batches b ON b.seq = s.batch_seq
  WHERE a.name = :name ORDER BY t.leased_at, t.stage_id, t.ordinal LIMIT 100`;

/** One agent with what it holds; null: there is none of this name. */
export async function readAgent(
  db: Database,
  options: { name: string; now: number },
): Promise<AgentDetail | null> {
  const params = { name: options.name };
  const [agent, tasks] = await db.batch(
    [bindStatement(READ, params), bindStatement(READ_TASKS, params)],
    'read',
  );
  const [row] = readRows<AgentRow & { storage: string }>(agent);
  if (row === undefined) return null;
  return {
    ...toAgentView(row, options.now),
    storage: row.storage,
    draining_since: toIsoOrNull(row.draining_at),
    tasks: readRows<HeldRow>(tasks).map(({ batch_id, key, ordinal, attempt, leased_at, stop, kind }) => ({
      task: formatTaskId({ batch_id, stage_key: key, ordinal }),
      attempt,
      since: toIso(leased_at),
      signal: stop === null ? null : kind,
    })),
  };
}

interface HeldRow {
  batch_id: string;
  key: string;
  ordinal: number;
  attempt: number;
  leased_at: number;
  stop: number | null;
  kind: Signal;
}
