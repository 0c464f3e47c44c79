import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The kernel's id of this boot: a pid and a start time mean nothing in another one. */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Ticks since boot; with the pid it names a process for good. */
  readonly start_time: string;
  readonly is_zombie: boolean;
}

/** Null when there is no such process. One that is dead but not collected is still there. */
export function readStartTime(pid: number): string | null {
  return readStat(pid)?.start_time ?? null;
}

export function readStat(pid: number): ProcessStat | null {
  try {
    return parseStat(pid, readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return null;
  }
}

/** The name in the second field may hold spaces and parentheses: fields count from the last one. */
function parseStat(pid: number, text: string): ProcessStat | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group] = fields;
  const startTime = fields[19];
  if (state === undefined || parent === undefined || group === undefined || startTime === undefined)
    return null;
  return {
    pid,
    parent: Number(parent),
    group: Number(group),
    start_time: startTime,
    is_zombie: state === 'Z' || state === 'X',
  };
}

function listProc(): string[] {
  try {
    return readdirSync('/proc');
  } catch (cause) {
    throw new Error('The agent needs /proc to find the processes it must end: it runs on Linux only', {
      cause,
    });
  }
}

/** Every process of the machine that still runs, but this one. */
export function listProcesses(): ProcessStat[] {
  const found: ProcessStat[] = [];
  for (const name of listProc()) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = readStat(pid);
    if (stat !== null && !stat.is_zombie) found.push(stat);
  }
  return found;
}

/**
 * Value of `PLANFLEET_MARKER` in a process's environment. Not synchronous: the kernel lets a reader wait
 * while the process's memory is locked, and heartbeats must go on meanwhile.
 */
export async function readMarker(pid: number): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return null;
  }
  const at = text.startsWith(MARKER) ? 0 : text.indexOf(`\0${MARKER}`) + 1;
  if (at === 0 && !text.startsWith(MARKER)) return null;
  const end = text.indexOf('\0', at);
  return text.slice(at + MARKER.length, end === -1 ? undefined : end);
}

const MARKER = 'PLANFLEET_MARKER=';
