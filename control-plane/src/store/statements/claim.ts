import { bindStatement, type Statement, toJson } from '../database.ts';
import { IS_UNTOLD, SIGNAL_KIND } from './signals.ts';

/** Classes that a CPU slot serves. Commands that the brain's tasks name run on an agent too: the control plane runs none. */
export const IS_CPU = "class IN ('cpu', 'brain')";

/** Lanes looked at by one claim. With more of equal turn the next claim comes to the others: `served` moves on. */
const LANES = 16;

/** This agent process, or nothing when another one has its name now. */
const ME = `me AS MATERIALIZED (
  SELECT id, session, labels, storage, draining_at FROM agents WHERE name = :agent AND session = :session)`;

/**
 * Tasks for the free CPU slots: lanes by priority, then least recently served; each gives from its lowest
 * ordinals. What is taken is derived from the live lease rows, so that two claims under way cannot be granted
 * the same room. "Next n of a stage" is a recursive walk over the ready index, since LIMIT takes no column.
 */
const PICK = `${ME},
free AS MATERIALIZED (SELECT iif(me.draining_at IS NULL, :slots, 0) - (SELECT count(*) FROM tasks t WHERE t.agent_id = me.id AND t.state = 'leased') AS n FROM me),
lane AS MATERIALIZED (
  SELECT s.id, s.ready, s.priority, s.served FROM stages s, me
  WHERE s.ready > 0 AND s.runnable = 1 AND s.${IS_CPU} AND (s.storage IS NULL OR s.storage = me.storage)
    AND NOT EXISTS (SELECT 1 FROM json_each(s.labels) l WHERE l.value NOT IN (SELECT value FROM json_each(me.labels)))
  ORDER BY s.priority DESC, s.served, s.id LIMIT ${LANES}),
give AS MATERIALIZED (
  SELECT id, ready, sum(ready) OVER (ORDER BY priority DESC, served, id) - ready AS before FROM lane),
deal AS MATERIALIZED (SELECT give.id, min(ready, free.n - before) AS n FROM give, free WHERE free.n > before),
walk(s, n, i, o) AS (
  SELECT id, n, 1, (SELECT ordinal FROM tasks WHERE stage_id = deal.id AND state = 'ready' ORDER BY ordinal LIMIT 1) FROM deal
  UNION ALL
  SELECT s, n, i + 1, (SELECT ordinal FROM tasks WHERE stage_id = walk.s AND state = 'ready' AND ordinal > walk.o ORDER BY ordinal LIMIT 1)
    FROM walk WHERE i < n AND o IS NOT NULL)`;

const TAKE_NUMBER = 'UPDATE brain SET claim_no = claim_no + 1 WHERE id = 1';

const TAKE_TASKS = `WITH RECURSIVE ${PICK}
UPDATE tasks SET state = 'leased', attempt = attempt + 1, leased_at = :now, lease = (SELECT claim_no FROM brain),
    agent_id = (SELECT id FROM me), session = :session
  WHERE (stage_id, ordinal) IN (SELECT s, o FROM walk WHERE o IS NOT NULL) AND +state = 'ready'
    AND NOT (coalesce(agent_id = (SELECT id FROM me), 0) AND lease IN (SELECT value FROM json_each(:have)))`;

/** The rows taken by this claim, by stage: found by their lease number through the agent's few leased rows. */
const TAKEN = `taken AS MATERIALIZED (
  SELECT t.stage_id AS s, count(*) AS n FROM agents a JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
  WHERE a.name = :agent AND t.lease = (SELECT claim_no FROM brain) GROUP BY t.stage_id)`;

const COUNT_TAKEN = `WITH ${TAKEN}
UPDATE stages SET ready = ready - taken.n, leased = leased + taken.n, served = (SELECT claim_no FROM brain)
  FROM taken WHERE stages.id = taken.s`;

/**
 * Until files travel between machines, a batch stays where its first task ran: only there are its files. A child that
 * works on files of its parent stays with it.
 */
const SETTLE_HOME = `WITH ${TAKEN}
UPDATE stages SET storage = (SELECT storage FROM agents WHERE name = :agent)
  WHERE storage IS NULL AND batch_seq IN (SELECT s.batch_seq FROM taken JOIN stages s ON s.id = taken.s
    UNION SELECT f.seq FROM taken CROSS JOIN stages s CROSS JOIN batches b CROSS JOIN batches f
      WHERE s.id = taken.s AND b.seq = s.batch_seq AND f.home = b.home)`;

export interface ClaimStatementParams {
  readonly agent: string;
  readonly session: number;
  readonly slots: number;
  readonly have: readonly number[];
  readonly now: number;
}

/**
 * CLAIM: ready -> leased, as many as fit the agent's slots. Follow it with `readLeases` in the same batch. What the
 * agent lost by silence and still runs is not given to it as a new attempt: its next heartbeat takes it back.
 */
export function claim(params: ClaimStatementParams): Statement[] {
  const bound = { ...params, have: toJson(params.have) };
  return [TAKE_NUMBER, TAKE_TASKS, COUNT_TAKEN, SETTLE_HOME].map((sql) => bindStatement(sql, bound));
}

/** The items of a task over a list with groups, in order: one range of the key. */
export const GROUP_ITEMS = `(SELECT json_group_array(own.item) FROM (SELECT g.item FROM list_items g
    WHERE l.grouped = 1 AND g.list_id = l.id AND g.ordinal >= t.ordinal * s.group_size AND g.ordinal < (t.ordinal + 1) * s.group_size
    ORDER BY g.ordinal) own)`;

const READ_LEASES = `SELECT t.stage_id AS stage, t.ordinal, t.lease, t.attempt, t.stop, i.item, s.key, s.list_id IS NOT NULL AS has_list, s.group_size,
    l.count AS list_count, n.nth, CASE WHEN l.grouped = 1 THEN ${GROUP_ITEMS} END AS items
  FROM agents a JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
    JOIN stages s ON s.id = t.stage_id
    LEFT JOIN lists l ON l.id = s.list_id
    LEFT JOIN tasks i ON i.stage_id = l.lead_stage AND i.ordinal = t.ordinal
    LEFT JOIN list_repeats n ON n.list_id = l.id AND n.ordinal = t.ordinal
  WHERE a.name = :agent AND a.session = :session AND t.lease NOT IN (SELECT value FROM json_each(:have))
  ORDER BY t.lease, t.stage_id, t.ordinal`;

const READ_STAGES = `SELECT s.id, s.key, s.definition, s.list_id IS NOT NULL AS has_list, b.id AS batch_id, b.plan_name,
    b.plan_digest, b.bundle, b.plan_folder, b.setup, b.inputs,
    (SELECT json_group_array(json_array(l.id, l.path, l.jsonpath, CASE WHEN l.grouped = 1 THEN
      (SELECT max(o.group_size) FROM stages o WHERE o.list_id = l.id) ELSE 1 END)) FROM lists l WHERE l.producer_stage = s.id) AS lists
  FROM stages s JOIN batches b ON b.seq = s.batch_seq
  WHERE s.id IN (SELECT t.stage_id FROM agents a JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
    WHERE a.name = :agent AND a.session = :session AND t.lease NOT IN (SELECT value FROM json_each(:have)))`;

/** Stops that no answer has carried yet: a claim that told the same ones again would be answered at once, for ever. */
const READ_NEW_STOPS = `SELECT t.stage_id AS stage, t.ordinal, t.lease, ${SIGNAL_KIND}
  FROM agents a JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
  WHERE a.name = :agent AND a.session = :session AND t.${IS_UNTOLD}`;

const NOTE_TOLD = `UPDATE tasks SET stop = stop + 1 WHERE state = 'leased' AND ${IS_UNTOLD}
  AND agent_id = (SELECT id FROM agents WHERE name = :agent AND session = :session)`;

const READ_STOPS = `SELECT t.stage_id AS stage, t.ordinal, t.lease, ${SIGNAL_KIND}
  FROM agents a JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
  WHERE a.name = :agent AND a.session = :session AND t.stop IS NOT NULL`;

/** All stops of an agent, told before or not: heartbeats repeat them, so that a lost answer loses none. */
export function readStops(params: { agent: string; session: number }): Statement {
  return bindStatement(READ_STOPS, params);
}

/**
 * All live leases that the agent does not know, with the definitions of their stages, and its stop signals. So an
 * answer that was lost loses nothing, and a repeated claim leases nothing twice.
 */
export function readLeases(params: { agent: string; session: number; have: readonly number[] }): Statement[] {
  const bound = { agent: params.agent, session: params.session, have: toJson(params.have) };
  return [READ_LEASES, READ_STAGES, READ_NEW_STOPS, NOTE_TOLD].map((sql) => bindStatement(sql, bound));
}

const TOUCH = `UPDATE agents SET last_seen_at = :now, expires_at = :expires_at, missing_at = NULL
  WHERE name = :agent AND session = :session RETURNING id`;

/** First statement of whatever an agent asks: it was heard of, and is the one process that has its name. */
export function touchAgent(params: {
  agent: string;
  session: number;
  now: number;
  lease_ms: number;
}): Statement {
  return bindStatement(TOUCH, { ...params, expires_at: params.now + params.lease_ms });
}
