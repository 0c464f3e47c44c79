import type { HeartbeatAnswer, HeartbeatRequest, LeaseKey, Stop } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows, toJson } from '../database.ts';
import { readStops, touchAgent } from '../statements/claim.ts';

/**
 * Tasks whose lease expired while the agent could not be heard, and that nobody has claimed since: still its own, as
 * far as it has not been given others for their slots. The rest may still bring a late result.
 */
const ADOPTED = `adopted AS MATERIALIZED (
  SELECT t.stage_id AS s, t.ordinal AS o, t.attempt FROM json_each(:running) r CROSS JOIN tasks t
    JOIN agents a ON a.id = t.agent_id AND a.name = :agent AND a.session = :session
    JOIN stages g ON g.id = t.stage_id JOIN batches b ON b.seq = g.batch_seq AND b.state IN ('active', 'paused')
  WHERE t.stage_id = r.value->>0 AND t.ordinal = r.value->>1 AND t.lease = r.value->>2 AND +t.state = 'ready'
  ORDER BY r.key LIMIT coalesce((SELECT max(0, me.slots - (SELECT count(*) FROM tasks h WHERE h.agent_id = me.id AND h.state = 'leased'))
    FROM agents me WHERE me.name = :agent), 0))`;

const FORGET_LOSS = `WITH ${ADOPTED}
DELETE FROM attempts WHERE (stage_id, ordinal, attempt) IN (SELECT s, o, attempt FROM adopted)`;

const COUNT = `WITH ${ADOPTED}, c AS (SELECT s, count(*) AS n FROM adopted GROUP BY s)
UPDATE stages SET ready = ready - c.n, leased = leased + c.n FROM c WHERE stages.id = c.s`;

const FLIP = `WITH ${ADOPTED}
UPDATE tasks SET state = 'leased', losses = losses - 1, session = :session WHERE (stage_id, ordinal) IN (SELECT s, o FROM adopted)`;

/** Leases that are over: their task was claimed again, has ended, or is gone. */
const READ_GONE = `SELECT r.value->>0 AS stage, r.value->>1 AS ordinal, r.value->>2 AS lease
  FROM json_each(:running) r LEFT JOIN tasks t ON t.stage_id = r.value->>0 AND t.ordinal = r.value->>1
  WHERE t.stage_id IS NULL OR t.lease IS NULL OR t.lease <> r.value->>2 OR t.state NOT IN ('leased', 'ready')
    OR t.agent_id <> (SELECT id FROM agents WHERE name = :agent)`;

/**
 * HEARTBEAT: one row, whatever the agent runs. Takes back what a silence had lost and nobody has taken over, and
 * tells the agent what to stop and what is no longer its own.
 */
export async function recordHeartbeat(
  db: Database,
  params: { agent: string; request: HeartbeatRequest; now: number; lease_ms: number },
): Promise<{ ok: true; answer: HeartbeatAnswer } | { ok: false; reason: 'session_superseded' }> {
  const { agent, request, now, lease_ms } = params;
  const { session } = request;
  const running = toJson(request.running.map((lease) => [lease.stage, lease.ordinal, lease.lease]));
  const bound = { agent, session, running };
  const results = await db.batch(
    [
      touchAgent({ agent, session, now, lease_ms }),
      ...[FORGET_LOSS, COUNT, FLIP].map((sql) => bindStatement(sql, bound)),
      readStops({ agent, session }),
      bindStatement(READ_GONE, bound),
    ],
    'write',
  );
  if (readRows(results[0]).length === 0) return { ok: false, reason: 'session_superseded' };
  return {
    ok: true,
    answer: { stops: readRows<Stop>(results[4]), gone: readRows<LeaseKey>(results[5]) },
  };
}
