import { bindStatement, type Statement } from '../database.ts';

/** 64 a batch: a claim must not pay for a thousand retries that come due at once; the next one takes the rest. */
const DUE = `due AS MATERIALIZED (
  SELECT stage_id AS s, ordinal AS o FROM tasks WHERE state = 'backoff' AND not_before <= :now LIMIT 64)`;

const COUNT = `WITH ${DUE}, c AS (SELECT s, count(*) AS n FROM due GROUP BY s)
UPDATE stages SET backoff = backoff - c.n, ready = ready + c.n FROM c WHERE stages.id = c.s`;

const FLIP = `WITH ${DUE}
UPDATE tasks SET state = 'ready', not_before = NULL FROM due WHERE tasks.stage_id = due.s AND tasks.ordinal = due.o
RETURNING 1 AS promoted`;

/** PROMOTE: backoff -> ready for retries that are due. Every claim begins with it, so that none waits for a tick. */
export function promote(now: number): Statement[] {
  return [COUNT, FLIP].map((sql) => bindStatement(sql, { now }));
}
