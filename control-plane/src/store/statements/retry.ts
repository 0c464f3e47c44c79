import { bindStatement, type SqlParams, type Statement } from '../database.ts';
import { sharesItem } from './shared-items.ts';

/** Batches that a retry may re-open. */
export const RETRYABLE = "state IN ('active', 'paused', 'succeeded', 'failed')";

/** `picked(s, o, was)`: the task of this address, given up or waiting for its next try. */
export const ONE_TASK = `picked(s, o, was) AS MATERIALIZED (
  SELECT t.stage_id, t.ordinal, t.state FROM batches b JOIN stages s ON s.batch_seq = b.seq AND s.key = :stage_key
    JOIN tasks t ON t.stage_id = s.id AND t.ordinal = :ordinal
  WHERE b.id = :batch_id AND b.${RETRYABLE} AND +t.state IN ('abandoned', 'backoff'))`;

/** The next abandoned tasks of a batch that is being retried, from the cursors of its stages on. */
const NEXT_TASKS = `picked(s, o, was) AS MATERIALIZED (
  SELECT t.stage_id, t.ordinal, t.state FROM batches b CROSS JOIN stages g INDEXED BY stages_retry CROSS JOIN tasks t INDEXED BY tasks_abandoned
  WHERE b.id = :batch_id AND b.${RETRYABLE} AND g.batch_seq = b.seq AND g.retry IS NOT NULL
    AND t.stage_id = g.id AND t.state = 'abandoned' AND t.ordinal >= g.retry
  ORDER BY g.id, t.ordinal LIMIT :chunk)`;

/** Task row `u` is lost, and shares an item with task `o` of stage `s` directly below it. */
const LOST_ABOVE = (
  s: string,
  o: string,
  state: string,
) => `stage_edges f CROSS JOIN stages own CROSS JOIN stages above CROSS JOIN tasks u
      WHERE f.to_stage = ${s} AND f.kind = 'item' AND own.id = ${s} AND above.id = f.from_stage
        AND u.stage_id = above.id AND ${sharesItem('u', 'above', o, 'own')} AND +u.state ${state}`;

/**
 * With those that were picked, what was skipped because of them and of nothing else: a task stays skipped while any
 * other task above it along its items is abandoned. `reach` ends at what another one keeps, `kept` is what lies below
 * such. Asked of each task for itself, all the way up, a group of 1,000 would cost a million rows.
 */
const CHANGED = `reach(s, o) AS (
  SELECT s, o FROM picked
  UNION
  SELECT d.stage_id, d.ordinal FROM reach CROSS JOIN stage_edges e ON e.from_stage = reach.s AND e.kind = 'item'
    CROSS JOIN stages upper ON upper.id = reach.s CROSS JOIN stages g ON g.id = e.to_stage
    CROSS JOIN tasks d ON d.stage_id = g.id AND ${sharesItem('d', 'g', 'reach.o', 'upper')} AND +d.state = 'skipped'
  WHERE NOT EXISTS (SELECT 1 FROM ${LOST_ABOVE('d.stage_id', 'd.ordinal', "= 'abandoned'")}
    AND (u.stage_id, u.ordinal) NOT IN (SELECT chosen.s, chosen.o FROM picked chosen))),
below(s, o) AS MATERIALIZED (SELECT s, o FROM reach WHERE (s, o) NOT IN (SELECT chosen.s, chosen.o FROM picked chosen)),
kept(s, o) AS (
  SELECT below.s, below.o FROM below WHERE EXISTS (SELECT 1 FROM ${LOST_ABOVE('below.s', 'below.o', "= 'skipped'")}
    AND (u.stage_id, u.ordinal) NOT IN (SELECT known.s, known.o FROM below known))
  UNION
  SELECT d.stage_id, d.ordinal FROM kept CROSS JOIN stage_edges e ON e.from_stage = kept.s AND e.kind = 'item'
    CROSS JOIN stages upper ON upper.id = kept.s CROSS JOIN stages g ON g.id = e.to_stage
    CROSS JOIN tasks d ON d.stage_id = g.id AND ${sharesItem('d', 'g', 'kept.o', 'upper')}
  WHERE (d.stage_id, d.ordinal) IN (SELECT known.s, known.o FROM below known)),
changed(s, o, was) AS MATERIALIZED (
  SELECT s, o, was FROM picked
  UNION ALL
  SELECT s, o, 'skipped' FROM below WHERE (s, o) NOT IN (SELECT s, o FROM kept))`;

const count = (picked: string) => `WITH RECURSIVE ${picked}, ${CHANGED}, c AS (
  SELECT s, sum(was <> 'skipped') AS ready, sum(was = 'abandoned') AS abandoned, sum(was = 'backoff') AS backoff, sum(was = 'skipped') AS skipped
  FROM changed GROUP BY s)
UPDATE stages SET ready = stages.ready + c.ready, waiting = stages.waiting + c.skipped, abandoned = stages.abandoned - c.abandoned,
    backoff = stages.backoff - c.backoff, skipped = stages.skipped - c.skipped
  FROM c WHERE stages.id = c.s`;

/** The attempt number goes on. No lease: a result that still comes for an old one changes nothing. */
const flip = (picked: string) => `WITH RECURSIVE ${picked}, ${CHANGED}
UPDATE tasks SET state = iif(state = 'skipped', 'waiting', 'ready'), tries = 0, losses = 0, not_before = NULL, agent_id = NULL, session = NULL, lease = NULL, leased_at = NULL
  WHERE (stage_id, ordinal) IN (SELECT s, o FROM changed)
  RETURNING state`;

const COUNT_ONE = count(ONE_TASK);
const FLIP_ONE = flip(ONE_TASK);
const COUNT_NEXT = count(NEXT_TASKS);
const FLIP_NEXT = flip(NEXT_TASKS);

/** `touched(id)`: the stages that have a task to re-open. */
const TOUCHED_BY_BATCH = `touched(id) AS MATERIALIZED (
  SELECT s.id FROM batches b JOIN stages s ON s.batch_seq = b.seq
  WHERE b.id = :batch_id AND b.${RETRYABLE} AND s.abandoned + s.skipped > 0 AND s.state <> 'cancelled')`;
const TOUCHED_BY_TASK = `${ONE_TASK}, ${CHANGED}, touched(id) AS MATERIALIZED (SELECT DISTINCT s FROM changed)`;

/** A stage that had ended opens again, or waits for one that it waited for then and that is itself re-opened. */
const reopenStages = (touched: string) => `WITH RECURSIVE ${touched}
UPDATE stages SET opened_at = :now, state = CASE WHEN EXISTS (
      SELECT 1 FROM stage_edges e JOIN stages p ON p.id = e.from_stage
      WHERE e.to_stage = stages.id AND e.kind = 'all' AND (p.state <> 'done' OR p.id IN (SELECT id FROM touched)))
    THEN 'waiting' ELSE 'open' END
  WHERE id IN (SELECT id FROM touched) AND +state IN ('done', 'failed')`;

const letRun = (touched: string) => `WITH RECURSIVE ${touched}
UPDATE stages SET runnable = 1 WHERE id IN (SELECT id FROM touched) AND +state = 'open' AND runnable = 0
  AND EXISTS (SELECT 1 FROM batches b WHERE b.seq = stages.batch_seq AND b.state = 'active')`;

const REOPEN_STAGES_OF_BATCH = reopenStages(TOUCHED_BY_BATCH);
const LET_RUN_OF_BATCH = letRun(TOUCHED_BY_BATCH);
const REOPEN_STAGES_OF_TASK = reopenStages(TOUCHED_BY_TASK);
const LET_RUN_OF_TASK = letRun(TOUCHED_BY_TASK);

/** From where the rows follow. Until they have, the stages do not end: what they count as lost is being re-opened. */
const SET_CURSORS = `WITH ${TOUCHED_BY_BATCH}
UPDATE stages SET retry = 0 WHERE id IN (SELECT id FROM touched)`;

/** The gate of a batch's retry: stages open, their rows follow in chunks (`retryNext`). */
export function reopenBatchStages(params: SqlParams): Statement[] {
  return [REOPEN_STAGES_OF_BATCH, LET_RUN_OF_BATCH, SET_CURSORS].map((sql) => bindStatement(sql, params));
}

/** RETRY of one task: abandoned or backoff -> ready, skipped -> waiting below it. */
export function retryOne(params: SqlParams): Statement[] {
  return [REOPEN_STAGES_OF_TASK, LET_RUN_OF_TASK, COUNT_ONE, FLIP_ONE].map((sql) =>
    bindStatement(sql, params),
  );
}

/** RETRY of the next chunk of a batch. */
export function retryNext(params: { batch_id: string; chunk: number }): Statement[] {
  return [COUNT_NEXT, FLIP_NEXT].map((sql) => bindStatement(sql, params));
}
