import type { BatchState } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';

const READ_STATE = 'SELECT state FROM batches WHERE id = :batch_id';

const TELL_PAUSE = `INSERT INTO decisions (at, type, batch_seq, message, details)
SELECT :now, 'PAUSED', seq, :by || ' pauses batch ' || id || ': what runs goes on, nothing new begins.', json_object('by', :by)
  FROM batches WHERE id = :batch_id AND state = 'active'`;
const PAUSE = "UPDATE batches SET state = 'paused' WHERE id = :batch_id AND state = 'active'";
const CLOSE_STAGES = `UPDATE stages SET runnable = 0
  WHERE batch_seq = (SELECT seq FROM batches WHERE id = :batch_id AND state = 'paused') AND runnable = 1`;

const TELL_RESUME = `INSERT INTO decisions (at, type, batch_seq, message, details)
SELECT :now, 'RESUMED', seq, :by || ' resumes batch ' || id || '.', json_object('by', :by)
  FROM batches WHERE id = :batch_id AND state = 'paused'`;
const RESUME = "UPDATE batches SET state = 'active' WHERE id = :batch_id AND state = 'paused'";
/** A trigger of the schema wakes those who wait for work. */
const OPEN_STAGES = `UPDATE stages SET runnable = 1
  WHERE batch_seq = (SELECT seq FROM batches WHERE id = :batch_id AND state = 'active') AND state = 'open' AND runnable = 0`;

interface Asked {
  readonly batch_id: string;
  readonly by: string;
  readonly now: number;
}

export type PauseResult =
  | { readonly ok: true; readonly state: 'active' | 'paused' }
  | {
      readonly ok: false;
      readonly reason: 'not_found' | 'already_ended';
      readonly state: BatchState | null;
    };

/** PAUSE: the batch gives out no task; running ones go on, and so do expansion and releases. Twice is fine. */
export function pauseBatch(db: Database, asked: Asked): Promise<PauseResult> {
  return setState(db, asked, [TELL_PAUSE, PAUSE, CLOSE_STAGES], 'paused');
}

/** RESUME: what a paused batch has ready may be claimed again at once. */
export function resumeBatch(db: Database, asked: Asked): Promise<PauseResult> {
  return setState(db, asked, [TELL_RESUME, RESUME, OPEN_STAGES], 'active');
}

async function setState(
  db: Database,
  asked: Asked,
  texts: readonly string[],
  state: 'active' | 'paused',
): Promise<PauseResult> {
  const params = { ...asked };
  const results = await db.batch(
    [READ_STATE, ...texts].map((sql) => bindStatement(sql, params)),
    'write',
  );
  const [before] = readRows<{ state: BatchState }>(results[0]);
  if (before === undefined) return { ok: false, reason: 'not_found', state: null };
  if (before.state !== 'active' && before.state !== 'paused')
    return { ok: false, reason: 'already_ended', state: before.state };
  return { ok: true, state };
}
