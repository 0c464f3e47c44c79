import type { LogReport, TaskAddress } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';

const FIND_TASK = `SELECT t.stage_id AS stage, t.ordinal, t.attempt, t.state
  FROM batches b JOIN stages s ON s.batch_seq = b.seq JOIN tasks t ON t.stage_id = s.id
  WHERE b.id = :batch_id AND s.key = :stage_key AND t.ordinal = :ordinal`;

const READ_ATTEMPT = `SELECT t.state, t.attempt AS current, t.lease IS NOT NULL AS leased, h.outcome, h.message, h.tail AS text,
    l.size, l.head, l.tail, l.stored, l.sha256, l.kept
  FROM tasks t
    LEFT JOIN attempts h ON h.stage_id = t.stage_id AND h.ordinal = t.ordinal AND h.attempt = :attempt
    LEFT JOIN attempt_logs l ON l.stage_id = t.stage_id AND l.ordinal = t.ordinal AND l.attempt = :attempt
  WHERE t.stage_id = :stage AND t.ordinal = :ordinal`;

/** Eight are 2 MB before they are unpacked, at most: a follower takes them in turns. */
const READ_CHUNKS = `SELECT first, size, data FROM log_chunks
  WHERE stage_id = :stage AND ordinal = :ordinal AND attempt = :attempt AND first + size > :offset ORDER BY first LIMIT 8`;

const FIND_LOG = `SELECT l.sha256, l.kept, h.tail AS text, a.name AS agent FROM batches b
    JOIN attempt_logs l ON l.batch_seq = b.seq AND l.path = :path
    JOIN attempts h ON h.stage_id = l.stage_id AND h.ordinal = l.ordinal AND h.attempt = l.attempt
    JOIN agents a ON a.id = h.agent_id
  WHERE b.id = :batch_id`;

export interface TaskKey {
  readonly stage: number;
  readonly ordinal: number;
}

/** The task as its rows are found by, and its newest attempt (0: none yet); null: there is no such task. */
export async function findTaskKey(
  db: Database,
  address: TaskAddress,
): Promise<(TaskKey & { attempt: number }) | null> {
  const [result] = await db.batch([bindStatement(FIND_TASK, { ...address })], 'read');
  const row = readRows<{ stage: number; ordinal: number; attempt: number }>(result)[0];
  return row ?? null;
}

/** A piece of live output; `data` as `storeLogChunks` keeps it: packed members with commas between them. */
export interface StoredChunk {
  readonly first: number;
  readonly size: number;
  readonly data: string;
}

export interface AttemptLog {
  readonly state: string;
  /** The newest attempt of the task. */
  readonly current: number;
  /** The task has a lease: its newest attempt runs, as far as anybody knows. */
  readonly leased: boolean;
  /** Null: the attempt has not ended. */
  readonly ended: {
    readonly outcome: string;
    readonly message: string | null;
    /** The end of its output. */
    readonly text: string;
    /** Where all of it is; null: it wrote nothing, or its agent said nothing of it. */
    readonly file: Omit<LogReport, 'name'> | null;
  } | null;
  /** Some of what comes at or after `offset`. */
  readonly chunks: readonly StoredChunk[];
}

/** What there is of an attempt's output from `offset` on; null: the task is gone. */
export async function readLog(
  db: Database,
  params: TaskKey & { attempt: number; offset: number },
): Promise<AttemptLog | null> {
  const [attempt, chunks] = await db.batch(
    [bindStatement(READ_ATTEMPT, { ...params }), bindStatement(READ_CHUNKS, { ...params })],
    'read',
  );
  const row = readRows<AttemptRow>(attempt)[0];
  if (row === undefined) return null;
  const { state, current, leased, outcome, message, text, size, head, tail, stored, sha256, kept } = row;
  const file = kept === null ? null : { size, head, tail, stored, sha256, kept };
  return {
    state,
    current,
    leased: Number(leased) === 1,
    ended: outcome === null ? null : { outcome, message, text, file },
    chunks: readRows<StoredChunk>(chunks),
  };
}

interface AttemptRow {
  state: string;
  current: number;
  leased: number;
  outcome: string | null;
  message: string | null;
  text: string;
  size: number;
  head: number;
  tail: number;
  stored: number;
  sha256: string;
  kept: LogReport['kept'] | null;
}

export interface FoundLog {
  readonly sha256: string;
  readonly kept: LogReport['kept'];
  readonly text: string;
  readonly agent: string;
}

/** The log of an attempt by its path among the files of a batch. */
export async function findLog(db: Database, batchId: string, path: string): Promise<FoundLog | null> {
  const [result] = await db.batch([bindStatement(FIND_LOG, { batch_id: batchId, path })], 'read');
  return readRows<FoundLog>(result)[0] ?? null;
}
