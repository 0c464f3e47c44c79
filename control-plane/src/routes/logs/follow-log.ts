import type { LogEndEvent } from '@planfleet/shared-types';
import type { Deps } from '../../deps.ts';
import { type AttemptLog, readLog, type TaskKey } from '../../store/queries/read-log.ts';
import { FOLLOWER_NOTE_MS, noteLogFollower } from '../../store/transitions/note-log-follower.ts';
import type { LogPlace } from '../../wake/log-bell.ts';
import { endOf, type LogPiece, readChunks, readEnded } from './read-pieces.ts';

/** Chunks that came through another instance ring no bell here: one look a second keeps a reader that close. */
const LOOK_AGAIN_MS = 1_000;

export type LogNews =
  | { readonly kind: 'piece'; readonly attempt: number; readonly piece: LogPiece }
  /** Nothing new; about once a second. */
  | { readonly kind: 'quiet' }
  | { readonly kind: 'end'; readonly end: LogEndEvent };

export interface FollowRequest extends TaskKey {
  /** Null: the one that runs, or the newest, or the first to come. */
  readonly attempt: number | null;
  readonly offset: number;
  readonly isStillAllowed: () => Promise<boolean>;
}

/**
 * The output of an attempt as it comes, from `offset` on, until its end. Ends without an `end` when the server
 * closes, the request has used up its reads, or its token does not do any more: the reader comes back with the place it
 * has reached, or is told why it may not.
 */
export async function* followLog(
  deps: Deps,
  request: FollowRequest,
  place: LogPlace,
): AsyncGenerator<LogNews> {
  const { stage, ordinal } = request;
  let { attempt, offset } = request;
  let noted = Number.NEGATIVE_INFINITY;
  for (let reads = 0; reads < deps.settings.follow_reads && place.isOpen; reads++) {
    const log = await readLog(deps.db, { stage, ordinal, attempt: attempt ?? 0, offset });
    if (log === null) return yield endWith(attempt, 'deleted');
    if (attempt === null && log.current > 0) {
      attempt = log.current;
      continue;
    }
    if (attempt !== null) {
      const before = offset;
      for await (const piece of readPieces(deps, log, offset)) {
        offset = endOf(piece);
        yield { kind: 'piece', attempt, piece };
      }
      // There may be more than one read brings.
      if (offset > before && log.chunks.length > 0) continue;
      if (log.ended !== null) {
        const { outcome, message } = log.ended;
        return yield { kind: 'end', end: { attempt, outcome, message } };
      }
    }
    if (cannotCome(log, attempt)) return yield endWith(attempt, log.state);
    if (attempt !== null && log.leased && deps.clock.now() - noted >= FOLLOWER_NOTE_MS) {
      noted = deps.clock.now();
      await noteLogFollower(deps.db, { stage, ordinal, attempt, now: noted });
    }
    yield { kind: 'quiet' };
    await place.wait(LOOK_AGAIN_MS);
    if (!(await request.isStillAllowed())) return;
  }
}

/** A lost attempt has left no file: what came of it is in its chunks as long as they are kept. */
function readPieces(deps: Deps, log: AttemptLog, offset: number): AsyncGenerator<LogPiece> {
  const { ended, chunks } = log;
  if (ended === null || (ended.outcome === 'lost' && chunks.length > 0)) return readChunks(chunks, offset);
  return readEnded(deps.artifacts, ended, offset);
}

const OVER: readonly string[] = ['succeeded', 'abandoned', 'skipped', 'cancelled'];

function cannotCome(log: AttemptLog, attempt: number | null): boolean {
  return OVER.includes(log.state) || (attempt !== null && attempt < log.current);
}

function endWith(attempt: number | null, outcome: string): LogNews {
  return { kind: 'end', end: { attempt, outcome, message: null } };
}
