import type { HeartbeatAnswer, HeartbeatRequest, LeaseKey } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { touchAgent } from '../statements/claim.ts';

const READ_STOPS = `SELECT t.stage_id AS stage, t.ordinal, t.lease
  FROM agents a JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
  WHERE a.name = :agent AND a.session = :session AND t.stop IS NOT NULL`;

/** A lease that expired goes on while nobody has claimed its task: the number on the row is still this one. */
const READ_GONE = `SELECT r.value->>0 AS stage, r.value->>1 AS ordinal, r.value->>2 AS lease
  FROM json_each(:running) r LEFT JOIN tasks t ON t.stage_id = r.value->>0 AND t.ordinal = r.value->>1
  WHERE t.stage_id IS NULL OR t.lease IS NULL OR t.lease <> r.value->>2 OR t.state NOT IN ('leased', 'ready')
    OR t.agent_id <> (SELECT id FROM agents WHERE name = :agent)`;

/** HEARTBEAT: one row, whatever the agent runs. Tells it what to stop and what is no longer its own. */
export async function recordHeartbeat(
  db: Database,
  params: { agent: string; request: HeartbeatRequest; now: number; lease_ms: number },
): Promise<{ ok: true; answer: HeartbeatAnswer } | { ok: false; reason: 'session_superseded' }> {
  const { agent, request, now, lease_ms } = params;
  const { session } = request;
  const running = JSON.stringify(request.running.map((lease) => [lease.stage, lease.ordinal, lease.lease]));
  const results = await db.batch(
    [
      touchAgent({ agent, session, now, lease_ms }),
      bindStatement(READ_STOPS, { agent, session }),
      bindStatement(READ_GONE, { agent, running }),
    ],
    'write',
  );
  if (readRows(results[0]).length === 0) return { ok: false, reason: 'session_superseded' };
  return {
    ok: true,
    answer: { stops: readRows<LeaseKey>(results[1]), gone: readRows<LeaseKey>(results[2]) },
  };
}
