import type { LogChunk, LogsAnswer } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows, toJson } from '../database.ts';

/** Output of one attempt that is kept while it runs. Older output is in its log file, once it has ended. */
const KEPT_BYTES = 1_048_576;
/** Chunks are joined up to this size: a line a second would make 10,000 rows of three hours otherwise. */
const JOINED_BYTES = 32_768;

/** Rows of the request: place, stage, ordinal, lease, attempt, offset, size, data, progress, text. */
const CHUNKS = `r(i, s, o, lease, attempt, first, size, data, progress, progress_text) AS MATERIALIZED (
  SELECT key, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8 FROM json_each(:chunks))`;

/** Those whose attempt is still this agent's; also after its lease ran out, as long as nobody has taken over. */
const MINE = `${CHUNKS}, mine AS MATERIALIZED (
  SELECT r.* FROM r CROSS JOIN tasks t ON t.stage_id = r.s AND t.ordinal = r.o
    JOIN agents a ON a.id = t.agent_id AND a.name = :agent
  WHERE t.lease = r.lease AND t.attempt = r.attempt AND t.state IN ('leased', 'ready'))`;

const READ_SESSION = 'SELECT 1 AS found FROM agents WHERE name = :agent AND session = :session';

const READ_MINE = `WITH ${MINE}
SELECT mine.i, coalesce(l.followed_until, 0) > :now AS followed FROM mine
  LEFT JOIN live_logs l ON l.stage_id = mine.s AND l.ordinal = mine.o AND l.attempt = mine.attempt`;

/** Where the stored output of an attempt ends. */
const NEWEST = `(SELECT max(n.first) FROM log_chunks n WHERE n.stage_id = mine.s AND n.ordinal = mine.o AND n.attempt = mine.attempt)`;

const JOIN_TO_LAST = `WITH ${MINE}
UPDATE log_chunks SET data = log_chunks.data || ',' || mine.data, size = log_chunks.size + mine.size FROM mine
  WHERE log_chunks.stage_id = mine.s AND log_chunks.ordinal = mine.o AND log_chunks.attempt = mine.attempt
    AND log_chunks.first = ${NEWEST} AND log_chunks.first + log_chunks.size = mine.first
    AND log_chunks.size + mine.size <= ${JOINED_BYTES}`;

/** What was joined, or came before, is not behind the end any more. */
const APPEND = `WITH ${MINE}
INSERT INTO log_chunks (stage_id, ordinal, attempt, first, size, data)
SELECT mine.s, mine.o, mine.attempt, mine.first, mine.size, mine.data FROM mine
  WHERE NOT EXISTS (SELECT 1 FROM log_chunks c WHERE c.stage_id = mine.s AND c.ordinal = mine.o AND c.attempt = mine.attempt
    AND c.first = ${NEWEST} AND c.first + c.size > mine.first)`;

/** The first chunk stays: how a task began is what a reader who comes late looks for. */
const DROP_OLD = `WITH ${MINE}
DELETE FROM log_chunks WHERE (stage_id, ordinal, attempt, first) IN (
  SELECT c.stage_id, c.ordinal, c.attempt, c.first FROM mine
    JOIN log_chunks c ON c.stage_id = mine.s AND c.ordinal = mine.o AND c.attempt = mine.attempt
  WHERE c.first > 0 AND c.first + c.size <= mine.first + mine.size - ${KEPT_BYTES})`;

const NOTE = `WITH ${MINE}
INSERT INTO live_logs (stage_id, ordinal, attempt, lease, progress, progress_text)
SELECT s, o, attempt, lease, progress, progress_text FROM mine WHERE true
ON CONFLICT (stage_id, ordinal, attempt) DO UPDATE SET lease = excluded.lease,
  progress = coalesce(excluded.progress, progress), progress_text = iif(excluded.progress IS NULL, progress_text, excluded.progress_text)`;

export interface StoreLogChunksParams {
  readonly agent: string;
  readonly session: number;
  /** At most one of each attempt. */
  readonly chunks: readonly LogChunk[];
  readonly now: number;
}

/**
 * LOGS: output of running attempts, of each the beginning and a bounded amount of the newest. A chunk that was stored
 * before changes nothing. `followed`: somebody reads along.
 */
export async function storeLogChunks(
  db: Database,
  params: StoreLogChunksParams,
): Promise<
  | { ok: true; refused: LogsAnswer['refused']; followed: boolean }
  | { ok: false; reason: 'session_superseded' }
> {
  const { agent, session, now } = params;
  const bound = { agent, session, now, chunks: toJson(params.chunks.map(toRow)) };
  const results = await db.batch(
    [READ_SESSION, READ_MINE, JOIN_TO_LAST, APPEND, DROP_OLD, NOTE].map((sql) => bindStatement(sql, bound)),
    'write',
  );
  if (readRows(results[0]).length === 0) return { ok: false, reason: 'session_superseded' };
  const mine = readRows<{ i: number; followed: number }>(results[1]);
  const places = new Set(mine.map(({ i }) => Number(i)));
  return {
    ok: true,
    refused: params.chunks.flatMap((_, index) => (places.has(index) ? [] : [index])),
    followed: mine.some(({ followed }) => Number(followed) === 1),
  };
}

function toRow(chunk: LogChunk): unknown[] {
  const { stage, ordinal, lease, attempt, offset, size, encoding, data, progress, progress_text } = chunk;
  const marked = `${encoding === 'gzip' ? 'g' : 'i'}${data}`;
  return [stage, ordinal, lease, attempt, offset, size, marked, progress, progress_text];
}
