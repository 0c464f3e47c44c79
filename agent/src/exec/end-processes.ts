import type { Timers } from '../agent/agent-deps.ts';
import { wait } from '../agent/wait.ts';
import { listProcesses, type ProcessStat, readMarker } from './read-proc.ts';

/** Time that processes have to write down their work after SIGTERM; then SIGKILL. The guide's value. */
export const TERM_GRACE_MS = 10_000;
/** The kernel takes this long to end what it can end; a process that is still there hangs in a driver. */
const KILL_PATIENCE_MS = 5_000;
/** First look after a signal; most programs are gone by then. It doubles up to the last. */
const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 250;

/** Which processes belong together: a group, and whatever carries the marker (or begins with it). */
export interface ProcessSet {
  readonly group: number | null;
  readonly marker: { readonly text: string; readonly is_prefix: boolean } | null;
  /** Start time of the first of them: older processes need not be looked into. */
  readonly since: string | null;
}

/**
 * All that still run of a set. Children that left the group by setsid are found by the marker they
 * inherited; those that cleared their environment, by their group or by the parent they still have.
 */
export async function findProcesses(set: ProcessSet): Promise<number[]> {
  const oldest = Number(set.since ?? 0);
  const all = listProcesses().filter((found) => Number(found.start_time) >= oldest);
  const marked = await Promise.all(all.map((found) => belongsTo(set, found)));
  return addRelatives(
    all,
    all.filter((_, index) => marked[index]),
  ).map(({ pid }) => pid);
}

async function belongsTo(set: ProcessSet, found: ProcessStat): Promise<boolean> {
  if (set.group !== null && found.group === set.group) return true;
  if (set.marker === null) return false;
  const marker = await readMarker(found.pid);
  if (marker === null) return false;
  return set.marker.is_prefix ? marker.startsWith(set.marker.text) : marker === set.marker.text;
}

/** Children of what belongs belong, and so do the groups that it leads. */
function addRelatives(all: readonly ProcessStat[], seeds: readonly ProcessStat[]): ProcessStat[] {
  const found = new Map(seeds.map((stat) => [stat.pid, stat]));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const stat of all) if (found.has(stat.parent) || found.has(stat.group)) found.set(stat.pid, stat);
  }
  return [...found.values()];
}

/** Whether anything of the group is left, dead children that nobody has collected included. */
export function groupExists(group: number): boolean {
  return sendSignal(-group, 0);
}

export interface EndOptions {
  readonly timers: Timers;
  /** How long SIGTERM has; 0 kills at once. */
  readonly term_ms: number;
  /** Fires when there is no time for SIGTERM any more. */
  readonly hurry: AbortSignal;
}

export interface Ended {
  /** Processes that were found running. */
  readonly found: number;
  /** Processes that even SIGKILL did not end in time. */
  readonly survivors: readonly number[];
}

/** Ends every process of the set, those they start meanwhile included. */
export async function endProcesses(set: ProcessSet, options: EndOptions): Promise<Ended> {
  const seen = new Set<number>();
  if (options.term_ms > 0 && !options.hurry.aborted) {
    const left = await signalUntilGone(set, 'SIGTERM', options.term_ms, seen, options.timers, options.hurry);
    if (left.length === 0) return { found: seen.size, survivors: [] };
  }
  // The group at once, ahead of the search: nothing in it gets to start another process.
  if (set.group !== null) sendSignal(-set.group, 'SIGKILL');
  const never = new AbortController().signal;
  const survivors = await signalUntilGone(set, 'SIGKILL', KILL_PATIENCE_MS, seen, options.timers, never);
  return { found: seen.size, survivors };
}

async function signalUntilGone(
  set: ProcessSet,
  signal: 'SIGTERM' | 'SIGKILL',
  patienceMs: number,
  seen: Set<number>,
  timers: Timers,
  hurry: AbortSignal,
): Promise<number[]> {
  const told = new Set<number>();
  let waited = 0;
  let look = FIRST_LOOK_MS;
  for (;;) {
    const left = await findProcesses(set);
    for (const pid of left) {
      seen.add(pid);
      // SIGTERM once each: some programs take a second one for "at once". SIGKILL as often as it takes.
      if (signal === 'SIGTERM' && told.has(pid)) continue;
      told.add(pid);
      sendSignal(pid, signal);
    }
    if (left.length === 0 || waited >= patienceMs || hurry.aborted) return left;
    await wait(timers, look, hurry);
    waited += look;
    look = Math.min(look * 2, LAST_LOOK_MS, Math.max(1, patienceMs - waited));
  }
}

/** False when there is nobody to receive it. */
function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
