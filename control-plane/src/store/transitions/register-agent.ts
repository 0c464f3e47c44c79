import type { RegisterRequest } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows, toJson } from '../database.ts';
import { LOST_FLIPPED, orphan } from '../statements/expire.ts';
import { settleLost } from './expire-leases.ts';

export interface RegisterParams {
  readonly request: RegisterRequest;
  readonly now: number;
  readonly lease_ms: number;
}

/**
 * A new process is a new session. One that started earlier than the present one is refused (its registration was
 * delayed on the way), unless the present one has gone silent: a clock that was set back must not lock a machine out.
 */
const REGISTER = `INSERT INTO agents (name, session, boot_id, started_at, hostname, version, slots, labels, storage, expires_at, last_seen_at)
VALUES (:agent, 1, :boot_id, :started_at, :hostname, :version, :slots, :labels, :storage, :expires_at, :now)
ON CONFLICT (name) DO UPDATE SET session = agents.session + (agents.boot_id <> excluded.boot_id), boot_id = excluded.boot_id,
  started_at = excluded.started_at, hostname = excluded.hostname, version = excluded.version, slots = excluded.slots,
  labels = excluded.labels, storage = excluded.storage, expires_at = excluded.expires_at, last_seen_at = excluded.last_seen_at,
  missing_at = NULL
WHERE agents.boot_id = excluded.boot_id OR excluded.started_at >= agents.started_at OR coalesce(agents.expires_at, 0) < :now
RETURNING session`;

/** Leases whose outcome the new process still has to tell go on under its session. */
const ADOPT = `UPDATE tasks SET session = (SELECT session FROM agents WHERE name = :agent)
WHERE state = 'leased' AND agent_id = (SELECT id FROM agents WHERE name = :agent AND boot_id = :boot_id)`;

/** REGISTER: a machine joins, or comes back; what its earlier process held and cannot report is ready again at once. */
export async function registerAgent(
  db: Database,
  params: RegisterParams,
): Promise<{ ok: true; session: number } | { ok: false; reason: 'session_superseded' }> {
  const { request, now, lease_ms } = params;
  const bound = {
    agent: request.name,
    boot_id: request.boot_id,
    started_at: request.started_at,
    hostname: request.hostname,
    version: request.version,
    slots: request.slots,
    labels: JSON.stringify(request.labels),
    storage: request.storage,
    have: toJson(request.have.map((lease) => [lease.stage, lease.ordinal, lease.lease])),
    expires_at: now + lease_ms,
    now,
  };
  const results = await db.batch(
    [bindStatement(REGISTER, bound), ...orphan(bound), bindStatement(ADOPT, bound)],
    'write',
  );
  const [row] = readRows<{ session: number }>(results[0]);
  if (row === undefined) return { ok: false, reason: 'session_superseded' };
  await settleLost(db, results[1 + LOST_FLIPPED], now);
  return { ok: true, session: row.session };
}
