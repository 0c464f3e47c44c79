import { bindStatement, type Statement } from '../database.ts';
import { IS_CANCELLED } from './signals.ts';

/** A task that lost its machine this often is abandoned: it may be what kills machines. */
export const MAX_LOSSES = 5;

/** `lost`: what becomes of the leased tasks that `from` selects; 64 a batch, so that no statement grows with a fleet. */
const lostFrom = (from: string, limit: string) => `lost AS MATERIALIZED (
  SELECT t.stage_id AS s, t.ordinal AS o, t.attempt, t.agent_id, t.leased_at,
    CASE WHEN t.${IS_CANCELLED} THEN 'cancelled' WHEN t.losses + 1 >= ${MAX_LOSSES} THEN 'abandoned' ELSE 'ready' END AS next
  FROM ${from} ${limit})`;

/**
 * Leases of agents not heard of in time. Nothing expires while no tick has run for three intervals (the control
 * plane was down: agents could not be heard), nor before the grace that the first tick then sets.
 */
const EXPIRED = lostFrom(
  `agents a CROSS JOIN tasks t WHERE a.expires_at < :now AND t.agent_id = a.id AND t.state = 'leased'
    AND EXISTS (SELECT 1 FROM brain WHERE expire_not_before <= :now AND last_tick_at >= :now - 3 * :tick_ms)`,
  'LIMIT 64',
);

/** Leases of an agent's earlier process, but for those whose outcome the new one still has in its outbox. */
const ORPHANED = lostFrom(
  `agents a CROSS JOIN tasks t WHERE a.name = :agent AND a.boot_id = :boot_id AND t.agent_id = a.id AND t.state = 'leased'
    AND t.session <> a.session
    AND (t.stage_id, t.ordinal, t.lease) NOT IN (SELECT value->>0, value->>1, value->>2 FROM json_each(:have))`,
  '',
);

const record = (lost: string) => `WITH ${lost}
INSERT INTO attempts (stage_id, ordinal, attempt, agent_id, outcome, error_type, message, claimed_at, ended_at, tail)
SELECT s, o, attempt, agent_id, 'lost', 'lost', :message, leased_at, :now, '' FROM lost WHERE true
ON CONFLICT DO NOTHING`;

/** One row for each agent and batch, and one for each stage that abandons tasks. */
const decide = (lost: string) => `WITH ${lost}
INSERT INTO decisions (at, type, batch_seq, stage_id, ordinal, attempt, agent, count, message, details)
SELECT :now, 'LEASE_LOST', s.batch_seq, iif(count(*) = 1, s.id, NULL), iif(count(*) = 1, lost.o, NULL), iif(count(*) = 1, lost.attempt, NULL), a.name,
    count(*), iif(count(*) = 1, s.key || ':' || lost.o || ' is', count(*) || ' tasks are') || ' lost with agent ' || a.name || ': '
    || :message || iif(sum(next = 'ready') > 0, ' ' || sum(next = 'ready') || ' ready again.', ''), json_object('ready', sum(next = 'ready'))
  FROM lost JOIN stages s ON s.id = lost.s JOIN agents a ON a.id = lost.agent_id
  GROUP BY a.id, s.batch_seq
UNION ALL
SELECT :now, 'ABANDON', s.batch_seq, s.id, iif(count(*) = 1, lost.o, NULL), iif(count(*) = 1, lost.attempt, NULL), a.name, count(*),
    iif(count(*) = 1, s.key || ':' || lost.o || ' is', count(*) || ' tasks of ' || s.key || ' are')
    || ' given up after ${MAX_LOSSES} machines were lost with it: it may be what ends them.', json_object('error_type', 'lost', 'ordinals', json_group_array(lost.o))
  FROM lost JOIN stages s ON s.id = lost.s JOIN agents a ON a.id = lost.agent_id
  WHERE lost.next = 'abandoned' GROUP BY s.id`;

const count = (lost: string) => `WITH ${lost}, c AS (
  SELECT s, count(*) AS n, sum(next = 'ready') AS r, sum(next = 'abandoned') AS a, sum(next = 'cancelled') AS x FROM lost GROUP BY s)
UPDATE stages SET leased = leased - c.n, ready = ready + c.r, abandoned = abandoned + c.a, cancelled = cancelled + c.x
  FROM c WHERE stages.id = c.s`;

/** The lease number stays on the row: a success that comes late is still known by it, until somebody claims the task. */
const flip = (lost: string) => `WITH ${lost}
UPDATE tasks SET state = lost.next, losses = losses + 1, stop = NULL FROM lost WHERE tasks.stage_id = lost.s AND tasks.ordinal = lost.o
RETURNING stage_id AS stage, ordinal, state`;

const CLEAR = `UPDATE agents SET expires_at = NULL WHERE expires_at < :now
  AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.agent_id = agents.id AND t.state = 'leased')`;

/** Not heard of in time, and not yet told. Not while the control plane itself may have been what was away. */
const MISSED = `id > 0 AND missing_at IS NULL AND (expires_at IS NULL OR expires_at < :now)
    AND EXISTS (SELECT 1 FROM brain WHERE expire_not_before <= :now AND last_tick_at >= :now - 3 * :tick_ms)`;

/** Once for each silence, with what it holds: the trigger on \`agents\` tells of its end. */
const TELL_MISSING = `INSERT INTO decisions (at, type, agent, message, details)
SELECT :now, 'AGENT_MISSING', name, 'Agent ' || name || ' was not heard of for ' || ((:now - last_seen_at) / 1000) || ' s.',
    json_object('silent_ms', :now - last_seen_at)
  FROM agents WHERE ${MISSED}`;

const NOTE_MISSING = `UPDATE agents SET missing_at = :now WHERE ${MISSED}`;

/** Result of `expire` and `orphan` that holds the rows they ended. */
export const LOST_FLIPPED = 3;

const EXPIRE = [
  record(EXPIRED),
  decide(EXPIRED),
  count(EXPIRED),
  flip(EXPIRED),
  TELL_MISSING,
  NOTE_MISSING,
  CLEAR,
];
const ORPHAN = [record(ORPHANED), decide(ORPHANED), count(ORPHANED), flip(ORPHANED)];

/** EXPIRE: leased -> ready (or abandoned, or cancelled) for agents that died. */
export function expire(params: { now: number; tick_ms: number }): Statement[] {
  const bound = { ...params, message: 'The agent was not heard of in time.' };
  return EXPIRE.map((sql) => bindStatement(sql, bound));
}

/** The same for what an agent's process left behind when it died and came back. `have`: [[stage, ordinal, lease]]. */
export function orphan(params: { agent: string; boot_id: string; have: string; now: number }): Statement[] {
  const bound = { ...params, message: 'The agent was started anew while the task ran.' };
  return ORPHAN.map((sql) => bindStatement(sql, bound));
}
