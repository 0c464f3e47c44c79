import { bindStatement, type Statement, toJson } from '../database.ts';

/**
 * Stages that may have ended or opened through what this batch changed: those touched, and all over the same
 * list (a task abandoned in one of them skips its item in the others, at any depth).
 */
const SCOPE = `scope AS MATERIALIZED (
  SELECT value AS id FROM json_each(:stages)
  UNION
  SELECT sibling.id FROM json_each(:stages) touched
    JOIN stages own ON own.id = touched.value
    JOIN stages sibling ON sibling.list_id = own.list_id
  UNION
  SELECT s.id FROM json_each(:lists) l JOIN stages s ON s.list_id = l.value)`;

/** Items of a stage; that of a stage without a list is itself. */
const ITEMS = (stage: string) =>
  `iif(${stage}.group_size = 1, ${stage}.total, (SELECT l.count FROM lists l WHERE l.id = ${stage}.list_id))`;

/** What a stage may lose, in items, and still count as done; skipped tasks are charged to the stage that abandoned their item. */
const ALLOWED = (stage: string) =>
  `max(${stage}.max_failures, CAST(${ITEMS(stage)} * ${stage}.max_failures_percent / 100 AS INTEGER))`;

/** Items that a stage has abandoned: of a group all of them, also those whose command had ended well. */
const LOST = (stage: string) => `(${stage}.abandoned * ${stage}.group_size - iif(${stage}.group_size = 1, 0,
    EXISTS (SELECT 1 FROM tasks t WHERE t.stage_id = ${stage}.id AND t.ordinal = ${stage}.total - 1 AND +t.state = 'abandoned')
      * (${stage}.total * ${stage}.group_size - ${ITEMS(stage)})))`;

/** Stages above this one along the items. */
const ABOVE = `RECURSIVE above(id) AS (
      SELECT e.from_stage FROM stage_edges e WHERE e.to_stage = stages.id AND e.kind = 'item'
      UNION SELECT e.from_stage FROM above JOIN stage_edges e ON e.to_stage = above.id AND e.kind = 'item')`;

/** One of them has abandoned more than it may. */
const LOST_ABOVE = `WITH ${ABOVE}
    SELECT 1 FROM above JOIN stages upper ON upper.id = above.id WHERE ${LOST('upper')} > ${ALLOWED('upper')}`;

/** One of them still has something to do: one lost item may skip a whole group, and so all of a stage before they end. */
const LIVE_ABOVE = `WITH ${ABOVE}
    SELECT 1 FROM above JOIN stages upper ON upper.id = above.id
    WHERE upper.expanded = 0 OR upper.retry IS NOT NULL OR upper.waiting + upper.ready + upper.leased + upper.backoff > 0`;

/**
 * A stage ends when its expansion is finished and nothing in it, nor above what was skipped in it, can move any more; a
 * retry under way will move some.
 */
const END_STAGES = `WITH ${SCOPE}
UPDATE stages SET runnable = 0, state = CASE
    WHEN cancelled > 0 THEN 'cancelled'
    WHEN ${LOST('stages')} <= ${ALLOWED('stages')} AND (skipped = 0 OR NOT EXISTS (${LOST_ABOVE}))
    THEN 'done' ELSE 'failed' END
  WHERE id IN (SELECT id FROM scope) AND +state = 'open' AND expanded = 1 AND waiting + ready + leased + backoff = 0 AND retry IS NULL
    AND (skipped = 0 OR NOT EXISTS (${LIVE_ABOVE}))`;

/**
 * Stages whose last predecessor is done open, with the present claim number as their turn: at 0, a stream of new
 * small batches would starve a big one. Writes one row a stage, however many tasks it has.
 */
const OPEN_STAGES = `WITH ${SCOPE}, next AS MATERIALIZED (
    SELECT DISTINCT e.to_stage AS id FROM scope
      JOIN stages ended ON ended.id = scope.id AND ended.state = 'done'
      JOIN stage_edges e ON e.from_stage = ended.id AND e.kind = 'all')
UPDATE stages SET state = 'open', opened_at = :now, served = (SELECT claim_no FROM brain),
    runnable = (SELECT b.state = 'active' FROM batches b WHERE b.seq = stages.batch_seq)
  WHERE id IN (SELECT id FROM next) AND +state = 'waiting'
    AND EXISTS (SELECT 1 FROM batches b WHERE b.seq = stages.batch_seq AND b.state IN ('active', 'paused'))
    AND NOT EXISTS (SELECT 1 FROM stage_edges e JOIN stages p ON p.id = e.from_stage
      WHERE e.to_stage = stages.id AND e.kind = 'all' AND p.state <> 'done')
  RETURNING id, (expanded = 1 AND waiting + ready + leased + backoff = 0 AND retry IS NULL) AS empty`;

/**
 * A batch ends, paused or not, when no stage of it is open: what still waits then waits for a stage that failed. Lists are made
 * into tasks to their end first, so that a later retry finds all of them.
 */
const END_BATCHES = `WITH ${SCOPE}
UPDATE batches SET finished_at = :now,
    state = CASE WHEN EXISTS (SELECT 1 FROM stages s WHERE s.batch_seq = batches.seq AND s.state <> 'done')
      THEN 'failed' ELSE 'succeeded' END
  WHERE seq IN (SELECT batch_seq FROM scope JOIN stages ON stages.id = scope.id)
    AND +state IN ('active', 'paused') AND NOT EXISTS (SELECT 1 FROM stages s WHERE s.batch_seq = batches.seq AND s.state = 'open')
    AND NOT EXISTS (SELECT 1 FROM lists l WHERE l.batch_seq = batches.seq AND l.cursor < l.count)`;

/** A cancelled batch ends when the last of its tasks is gone, the processes of the leased ones included. */
const END_CANCELLED = `WITH ${SCOPE}
UPDATE batches SET state = 'cancelled', finished_at = :now
  WHERE seq IN (SELECT batch_seq FROM scope JOIN stages ON stages.id = scope.id) AND +state = 'cancelling'
    AND NOT EXISTS (SELECT 1 FROM stages s WHERE s.batch_seq = batches.seq AND s.waiting + s.ready + s.leased + s.backoff > 0)`;

const CLOSE_CANCELLED = `WITH ${SCOPE}
UPDATE stages SET state = 'cancelled', runnable = 0, expanded = 1
  WHERE batch_seq IN (SELECT own.batch_seq FROM scope JOIN stages own ON own.id = scope.id
      JOIN batches b ON b.seq = own.batch_seq AND b.state = 'cancelled')
    AND +state IN ('waiting', 'open')`;

/** Told once where the same moment settles twice: of the newest decisions alone, so that the look costs nothing. */
const NOT_TOLD = (condition: string) => `NOT EXISTS (SELECT 1 FROM decisions d
    WHERE d.id > (SELECT max(id) - 50 FROM decisions) AND d.at = :now AND ${condition})`;

/** By what the statements before it wrote at this moment: one look for all of them, since mostly nothing happened. */
const DECIDE = `WITH ${SCOPE}
INSERT INTO decisions (at, type, batch_seq, stage_id, count, message)
SELECT :now, 'TASK_RELEASED', s.batch_seq, s.id, max(s.total, 1), 'Stage ' || s.key || ' is open: all that it waited for is done'
    || iif(s.expanded = 1, '; ' || s.total || iif(s.total = 1, ' task.', ' tasks.'), '.')
  FROM (SELECT DISTINCT e.to_stage AS id FROM scope
      JOIN stages ended ON ended.id = scope.id AND ended.state = 'done'
      JOIN stage_edges e ON e.from_stage = ended.id AND e.kind = 'all') next
    JOIN stages s ON s.id = next.id AND s.state = 'open' AND s.opened_at = :now
  WHERE ${NOT_TOLD("d.type = 'TASK_RELEASED' AND d.stage_id = s.id")}
UNION ALL
SELECT :now, CASE b.state WHEN 'succeeded' THEN 'BATCH_COMPLETE' WHEN 'failed' THEN 'BATCH_FAILED' ELSE 'BATCH_CANCELLED' END, b.seq, NULL,
    sum(s.total), 'Batch ' || b.id || ' ' || iif(b.state = 'cancelled', 'is cancelled', b.state) || ': ' || sum(s.succeeded) || ' of ' || sum(s.total)
    || ' tasks succeeded' || iif(sum(s.abandoned) > 0, ', ' || sum(s.abandoned) || ' abandoned', '')
    || iif(sum(s.skipped) > 0, ', ' || sum(s.skipped) || ' skipped', '') || iif(sum(s.cancelled) > 0, ', ' || sum(s.cancelled) || ' cancelled', '') || '.'
  FROM (SELECT DISTINCT own.batch_seq AS seq FROM scope JOIN stages own ON own.id = scope.id) touched
    JOIN batches b ON b.seq = touched.seq AND b.finished_at = :now
    JOIN stages s ON s.batch_seq = b.seq
  WHERE ${NOT_TOLD("d.batch_seq = b.seq AND d.type IN ('BATCH_COMPLETE', 'BATCH_FAILED', 'BATCH_CANCELLED')")}
  GROUP BY b.seq`;

/** Place of the result that names the stages opened, counted from the first statement of `settle`. */
export const SETTLE_OPENED = 1;

/**
 * SETTLE: ends stages, opens their successors, ends batches; on facts only, so that it is the tick's safety net
 * too and repeating it changes nothing.
 */
export function settle(params: SettleParams): Statement[] {
  const bound = {
    stages: toJson(params.stages),
    lists: toJson(params.lists ?? []),
    now: params.now,
  };
  return [END_STAGES, OPEN_STAGES, END_BATCHES, END_CANCELLED, CLOSE_CANCELLED, DECIDE].map((sql) =>
    bindStatement(sql, bound),
  );
}

export interface SettleParams {
  /** Stages whose tasks changed. */
  readonly stages: readonly number[];
  /** Lists that were expanded. */
  readonly lists?: readonly number[];
  readonly now: number;
}
