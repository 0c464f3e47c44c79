import { bindStatement, type Statement } from '../database.ts';

/** The brain in the table of agents: it holds tasks of type execute_plan, and never expires. */
export const BRAIN_AGENT = 0;
export const BRAIN_NAME = '(brain)';

/** Lanes that the brain takes from; no agent asks for their class. */
export const IS_CHILD_LANE = "class = 'execute_plan'";

const TAKE_TURN = 'UPDATE brain SET claim_no = claim_no + 1 WHERE id = 1';

const COUNT = `UPDATE stages SET ready = ready - 1, leased = leased + 1, served = (SELECT claim_no FROM brain)
  WHERE id = :stage AND +runnable = 1 AND +${IS_CHILD_LANE} AND EXISTS (SELECT 1 FROM tasks t
    WHERE t.stage_id = :stage AND t.ordinal = :ordinal AND +t.state = 'ready' AND t.attempt = :attempt - 1)`;

const FLIP = `UPDATE tasks SET state = 'leased', attempt = :attempt, lease = :lease, leased_at = :now,
    agent_id = ${BRAIN_AGENT}, session = 0
  WHERE stage_id = :stage AND ordinal = :ordinal AND +state = 'ready' AND attempt = :attempt - 1
    AND EXISTS (SELECT 1 FROM stages s WHERE s.id = :stage AND s.runnable = 1 AND s.${IS_CHILD_LANE})
  RETURNING 1 AS held`;

export interface HoldParams {
  readonly stage: number;
  readonly ordinal: number;
  /** The one that begins: a task that another tick has taken meanwhile is at a later one. */
  readonly attempt: number;
  readonly now: number;
}

/**
 * Lease of a task that was taken to be refused. A refusal must not end a try for which another brain, which saw things
 * a moment later, has started a child.
 */
export const refusalLease = (attempt: number) => -attempt;

/** Place of the result that has a row when the task was taken, counted from the first statement of `hold`. */
export const HOLD_FLIPPED = 2;

/**
 * HOLD: ready -> leased by the brain, for one try. Its lease is the attempt's own number, which is known before the
 * batch runs: no other holder can have it, since the agent is part of the guard.
 */
export function hold(params: HoldParams, lease: number = params.attempt): Statement[] {
  return [TAKE_TURN, COUNT, FLIP].map((sql) => bindStatement(sql, { ...params, lease }));
}

const PENDING = `SELECT EXISTS (SELECT 1 FROM child_ends)
  OR EXISTS (SELECT 1 FROM stages WHERE ready > 0 AND runnable = 1 AND ${IS_CHILD_LANE}) AS pending`;

/** Whether the brain has a child to start, or the end of one to pass on. */
export function askPendingChildren(): Statement {
  return bindStatement(PENDING, {});
}
