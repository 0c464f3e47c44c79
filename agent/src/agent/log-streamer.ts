import { type FSWatcher, watch } from 'node:fs';
import type { LogChunk } from '@planfleet/shared-types';
import type { AttemptLog } from '../exec/attempt-log.ts';
import type { Progress } from '../exec/find-progress.ts';
import type { LogSink } from '../exec/log-sink.ts';
import { leaseText } from './lease-book.ts';
import { WakeUp } from './wake-up.ts';

/** Looks at a log that has not grown before the kernel is asked to tell when it does: a second. */
const QUIET_LOOKS = 4;
/** A disk that tells nothing of changes (or too many are watched): such a log is looked at now and then. */
const BLIND_LOOKS = 8;

/** A log that is followed. */
export interface FollowedLog {
  readonly log: AttemptLog;
  /** Its size at the last look. */
  size: number;
  /** Bytes of it that were sent, or left out. */
  sent: number;
  /** Its size when it was found that nothing more can be sent yet: its end may be the beginning of a secret. */
  heldAt: number;
  /** Sent and not acknowledged: it goes out again as it was, since one of another size would not count as the same. */
  unacknowledged: LogChunk | null;
  /** The control plane wants no more of it. */
  refused: boolean;
  progress: Progress | null;
  quiet: number;
  watcher: FSWatcher | null;
}

/**
 * The logs of all running attempts, and which of them have grown. While something is printed they are looked at
 * together, by one timer; one that is quiet for a second is left to the kernel (`fs.watch`), which costs nothing until it
 * is written again. The kernel alone would not do: at 50,000 lines a second it tells of each.
 */
export class LogStreamer implements LogSink {
  /** Rings when there is something to look at. */
  readonly bell = new WakeUp();
  readonly #logs = new Map<string, FollowedLog>();

  follow(log: AttemptLog): () => void {
    const key = leaseText(log.task);
    const followed: FollowedLog = {
      log,
      size: 0,
      sent: 0,
      heldAt: 0,
      unacknowledged: null,
      refused: false,
      progress: null,
      quiet: 0,
      watcher: null,
    };
    this.#logs.set(key, followed);
    this.bell.ring();
    return () => {
      followed.watcher?.close();
      if (this.#logs.get(key) === followed) this.#logs.delete(key);
    };
  }

  isFollowing(followed: FollowedLog): boolean {
    return this.#logs.get(leaseText(followed.log.task)) === followed;
  }

  /** Whether any log has to be looked at. */
  get isAwake(): boolean {
    for (const { watcher } of this.#logs.values()) if (watcher === null) return true;
    return false;
  }

  /** The others come before it next time. */
  moveBack(followed: FollowedLog): void {
    const key = leaseText(followed.log.task);
    if (!this.isFollowing(followed)) return;
    this.#logs.delete(key);
    this.#logs.set(key, followed);
  }

  /** Those with output that was not sent, who was served longest ago first. */
  unsent(): FollowedLog[] {
    return [...this.#logs.values()].filter(hasUnsent);
  }

  /** Looks at all that are not watched, and keeps them within their caps. */
  async look(): Promise<void> {
    await Promise.all(
      [...this.#logs.values()].filter((each) => each.watcher === null).map((each) => this.#lookAt(each)),
    );
  }

  async #lookAt(followed: FollowedLog): Promise<void> {
    // Where nothing tells of changes, a quiet log is looked at every eighth time only.
    if (followed.quiet > QUIET_LOOKS && followed.quiet % BLIND_LOOKS !== 0) {
      followed.quiet += 1;
      return;
    }
    const size = await followed.log.size();
    if (size < followed.size) {
      // The task has emptied its own log: what it writes now takes the old places, and is shown from the end on.
      followed.sent = Math.min(followed.sent, size);
      followed.heldAt = size;
    }
    followed.quiet = size === followed.size ? followed.quiet + 1 : 0;
    followed.size = size;
    await followed.log.keepWithinCap(size);
    if (followed.quiet === QUIET_LOOKS && this.isFollowing(followed)) this.#watch(followed);
  }

  #watch(followed: FollowedLog): void {
    if (hasUnsent(followed)) {
      // Still waits for its turn: looked at until it was sent.
      followed.quiet -= 1;
      return;
    }
    const wake = () => {
      followed.watcher?.close();
      followed.watcher = null;
      followed.quiet = 0;
      this.bell.ring();
    };
    try {
      const watcher = watch(followed.log.file, { persistent: false }, wake);
      watcher.on('error', wake);
      followed.watcher = watcher;
    } catch {
      // There is no log yet, or no more watchers are to be had.
      return;
    }
    // Written between the last look and the watcher.
    void followed.log.size().then((size) => {
      if (size !== followed.size && followed.watcher !== null) wake();
    });
  }

  close(): void {
    for (const { watcher } of this.#logs.values()) watcher?.close();
    this.#logs.clear();
  }
}

function hasUnsent({ size, sent, heldAt, unacknowledged, refused }: FollowedLog): boolean {
  return !refused && (unacknowledged !== null || (size > sent && size !== heldAt));
}
