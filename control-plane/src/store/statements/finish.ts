import { bindStatement, type Statement, toJson } from '../database.ts';
import { IS_CANCELLED } from './signals.ts';

/** First retry after 2 s, doubling, at most 5 min (brain.md), each with a jitter of 20 % either way. */
const BACKOFF_MS = 'min(300000, 2000 * (1 << min(t.tries, 8))) * (80 + (t.ordinal * 37 + :seed) % 41) / 100';

/**
 * One row a report: stage, ordinal, lease, outcome, [[list, count, [sha256 of its chunks]]], and 1 where another try
 * would be in vain; `i` is its place.
 */
const REPORTED = `r(i, s, o, lease, outcome, lists, final) AS MATERIALIZED (
  SELECT key, value->>0, value->>1, value->>2, value->>3, value->4, value->>5 FROM json_each(:reports))`;

/** Lists that the stage must bring, and that the report does not bring in full. */
const INCOMPLETE = `EXISTS (SELECT 1 FROM lists l WHERE l.producer_stage = r.s AND NOT EXISTS (
    SELECT 1 FROM json_each(r.lists) j WHERE j.value->>0 = l.id
      AND json(j.value->2) = (SELECT json_group_array(sha256) FROM
        (SELECT sha256 FROM list_chunks c WHERE c.list_id = l.id AND c.lease = r.lease ORDER BY c.first))
      AND j.value->>1 = (SELECT coalesce(sum(c.count), 0) FROM list_chunks c WHERE c.list_id = l.id AND c.lease = r.lease)
      AND NOT EXISTS (SELECT 1 FROM list_chunks c WHERE c.list_id = l.id AND c.lease = r.lease AND c.first <> (
        SELECT coalesce(sum(p.count), 0) FROM list_chunks p WHERE p.list_id = l.id AND p.lease = r.lease AND p.first < c.first))))`;

const MINE = `t.lease = r.lease AND t.agent_id = (SELECT id FROM agents WHERE name = :agent)
    AND (t.state = 'leased' OR (t.state = 'ready' AND r.outcome = 'succeeded'))`;

/**
 * Reports that count, and what becomes of their tasks. Guarded by the lease number on the row and its holder. The
 * second state is LATE_RESULT: the lease expired, nobody has claimed the task since, and it did succeed.
 */
const ACCEPTED = `${REPORTED}, accepted AS MATERIALIZED (
  SELECT r.i, r.s, r.o, r.lease, r.outcome, r.final, t.state AS was, t.attempt, t.agent_id, t.leased_at,
    CASE WHEN t.${IS_CANCELLED} THEN 'cancelled'
      WHEN r.outcome = 'succeeded' THEN 'succeeded'
      WHEN r.outcome = 'returned' OR (r.outcome = 'stopped' AND t.stop IS NULL) THEN 'ready'
      WHEN r.final = 1 OR t.tries + 1 >= s.max_attempts THEN 'abandoned'
      ELSE 'backoff' END AS next,
    :now + ${BACKOFF_MS} AS retry_at
  FROM r CROSS JOIN tasks t ON t.stage_id = r.s AND t.ordinal = r.o JOIN stages s ON s.id = r.s
  WHERE ${MINE} AND NOT (r.outcome = 'succeeded' AND ${INCOMPLETE}))`;

/** The judgement on each report: accepted, lacking its items, or not listed (its lease is gone). Before the rows change. */
const INSPECT = `WITH ${REPORTED}
SELECT r.s AS stage, r.o AS ordinal, r.lease, r.outcome = 'succeeded' AND ${INCOMPLETE} AS incomplete
  FROM r CROSS JOIN tasks t ON t.stage_id = r.s AND t.ordinal = r.o WHERE ${MINE}`;

/**
 * Written once, at its end, so that a task cannot have two open attempts. A late success replaces the loss. The
 * details are materialized: joined as they stand, their JSON is read once for each pair of reports (64: 11 ms).
 */
const RECORD = `WITH ${ACCEPTED},
d(i, error_type, message, exit_code, signal, started_at, ended_at, tail) AS MATERIALIZED (
  SELECT key, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6 FROM json_each(:details))
INSERT INTO attempts (stage_id, ordinal, attempt, agent_id, outcome, error_type, message, exit_code, signal, late, claimed_at, started_at, ended_at, tail)
SELECT a.s, a.o, a.attempt, a.agent_id, iif(a.next IN ('backoff', 'abandoned'), 'failed', a.outcome), d.error_type, d.message, d.exit_code, d.signal, a.was = 'ready', a.leased_at,
    d.started_at, d.ended_at, d.tail
  FROM accepted a JOIN d ON d.i = a.i WHERE true
ON CONFLICT (stage_id, ordinal, attempt) DO UPDATE SET outcome = excluded.outcome, error_type = excluded.error_type, message = excluded.message,
  exit_code = excluded.exit_code, late = excluded.late, started_at = excluded.started_at, ended_at = excluded.ended_at, tail = excluded.tail`;

/** One row for each stage and end, with the first of the errors: only where a report tells of a failure. */
const DECIDE = `WITH ${ACCEPTED}
INSERT INTO decisions (at, type, batch_seq, stage_id, ordinal, attempt, agent, count, message, details)
SELECT :now, iif(a.next = 'backoff', 'RETRY', 'ABANDON'), st.batch_seq, st.id, iif(count(*) = 1, a.o, NULL), iif(count(*) = 1, a.attempt, NULL),
    :agent, count(*), iif(count(*) = 1, st.key || ':' || a.o, count(*) || ' tasks of ' || st.key) || ' failed on ' || :agent
    || iif(a.next = 'backoff', ' and ' || iif(count(*) = 1, 'is', 'are') || ' tried again in ' || printf('%.1f', (min(a.retry_at) - :now) / 1000.0) || ' s: ',
      iif(max(a.final) = 1, '', ' for the last of ' || st.max_attempts || iif(st.max_attempts = 1, ' time', ' times')) || ' and ' || iif(count(*) = 1, 'is', 'are') || ' given up: ')
    || coalesce(:details->min(a.i)->>1, 'without a reason'),
    json_object('error_type', :details->min(a.i)->>0, 'exit_code', :details->min(a.i)->>2, 'ordinals', json_group_array(a.o))
  FROM accepted a JOIN stages st ON st.id = a.s
  WHERE a.next IN ('backoff', 'abandoned') GROUP BY a.s, a.next`;

const COUNT = `WITH ${ACCEPTED}, sums AS (
  SELECT s, sum(was = 'leased') AS leased, sum(next = 'ready') - sum(was = 'ready') AS ready, sum(next = 'succeeded') AS succeeded,
    sum(next = 'backoff') AS backoff, sum(next = 'abandoned') AS abandoned, sum(next = 'cancelled') AS cancelled
  FROM accepted GROUP BY s)
UPDATE stages SET leased = stages.leased - sums.leased, ready = stages.ready + sums.ready, succeeded = stages.succeeded + sums.succeeded,
    backoff = stages.backoff + sums.backoff, abandoned = stages.abandoned + sums.abandoned, cancelled = stages.cancelled + sums.cancelled
  FROM sums WHERE stages.id = sums.s`;

const TAKE_LISTS = `WITH ${ACCEPTED}
UPDATE lists SET lease = a.lease, count = (SELECT coalesce(sum(c.count), 0) FROM list_chunks c WHERE c.list_id = lists.id AND c.lease = a.lease)
  FROM accepted a
  WHERE a.next = 'succeeded' AND lists.producer_stage = a.s AND lists.lease IS NULL
  RETURNING lists.id`;

const TAKE_FILES = `WITH ${ACCEPTED},
f(i, path, sha256, size, mode) AS MATERIALIZED (
  SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(:files))
INSERT INTO files (batch_seq, path, sha256, size, mode, stage_id, ordinal, attempt)
SELECT st.batch_seq, f.path, f.sha256, f.size, f.mode, a.s, a.o, a.attempt
  FROM accepted a JOIN f ON f.i = a.i JOIN stages st ON st.id = a.s WHERE a.next = 'succeeded'
ON CONFLICT (batch_seq, path) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size, mode = excluded.mode,
  stage_id = excluded.stage_id, ordinal = excluded.ordinal, attempt = excluded.attempt`;

/** A log whose name another task of the batch has already gets a longer one, which none can have. */
const TAKE_LOGS = `WITH ${ACCEPTED},
l(i, name, is_twice, size, head, tail, stored, sha256, kept) AS MATERIALIZED (
  SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8 FROM json_each(:logs)),
named AS MATERIALIZED (SELECT st.batch_seq, st.key, 'logs/' || l.name || '.' || a.attempt || '.log' AS path, a.s, a.o, a.attempt, l.*
  FROM accepted a JOIN l ON l.i = a.i JOIN stages st ON st.id = a.s)
INSERT INTO attempt_logs (batch_seq, path, stage_id, ordinal, attempt, size, head, tail, stored, sha256, kept)
SELECT batch_seq, iif(is_twice OR EXISTS (SELECT 1 FROM attempt_logs x WHERE x.batch_seq = named.batch_seq AND x.path = named.path),
    'logs/' || name || '~' || key || '.' || o || '.' || attempt || '.log', path), s, o, attempt, size, head, tail, stored, sha256, kept
  FROM named WHERE true
ON CONFLICT DO NOTHING`;

const FLIP = `WITH ${ACCEPTED}
UPDATE tasks SET state = accepted.next, stop = NULL, agent_id = NULL, session = NULL, lease = NULL, leased_at = NULL,
    tries = tries + (accepted.next IN ('backoff', 'abandoned')),
    not_before = CASE WHEN accepted.next = 'backoff' THEN accepted.retry_at END
  FROM accepted WHERE tasks.stage_id = accepted.s AND tasks.ordinal = accepted.o`;

/** Place of the result with the judgement on each report, counted from the first statement of `finish`. */
export const FINISH_INSPECTED = 0;

export interface FinishParams {
  readonly agent: string;
  /** Rows of REPORTED. */
  readonly reports: string;
  /** For each of them: error_type, message, exit_code, signal, started_at, ended_at, tail. */
  readonly details: string;
  /** Place of the report, path, sha256, size, mode. */
  readonly files: readonly (readonly unknown[])[];
  /** Place of the report, name, whether another of them has it, size, head, tail, stored, sha256, kept. */
  readonly logs: readonly (readonly unknown[])[];
  /** Some report tells of a failure. */
  readonly brings_failures: boolean;
  /** Some report brings lists. One that lacks those of its stage is not accepted. */
  readonly brings_lists: boolean;
  readonly now: number;
  /** 0 to 40: spreads retries that failed together. */
  readonly seed: number;
}

/**
 * FINISH: leased -> succeeded, backoff, abandoned, cancelled, or ready again; with attempts, lists and files. What
 * most reports do not bring is left out: each of these statements reads all reports, 80 µs for 16.
 */
export function finish({ files, logs, brings_failures, brings_lists, ...params }: FinishParams): Statement[] {
  const bound = { ...params, files: toJson(files), logs: toJson(logs) };
  const take = [
    ...(brings_lists ? [TAKE_LISTS] : []),
    ...(files.length > 0 ? [TAKE_FILES] : []),
    ...(logs.length > 0 ? [TAKE_LOGS] : []),
  ];
  const decide = brings_failures ? [DECIDE] : [];
  return [INSPECT, RECORD, ...decide, COUNT, ...take, FLIP].map((sql) => bindStatement(sql, bound));
}
