import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { readBootId, readStartTime, readStat } from '../exec/read-proc.ts';

/**
 * The file is rewritten under this lock only for the moment of a take-over; it is stale (its holder died
 * within that moment) after 10 s, the shortest that its library keeps alive safely.
 */
const GUARD = { stale: 10_000, retries: { retries: 60, minTimeout: 50, maxTimeout: 500 } };

/**
 * Makes this process the only agent on the state directory. Null when another one lives. The file names
 * its holder by pid, start time and boot, so that after `kill -9` or a crash of the machine the next start
 * need not wait.
 */
export async function lockHome(data: string): Promise<(() => Promise<void>) | null> {
  const file = join(data, 'agent.pid');
  const release = await lock(data, {
    ...GUARD,
    lockfilePath: join(data, 'agent.pid.guard'),
    onCompromised: () => undefined,
  });
  try {
    if (await holderLives(file)) return null;
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, JSON.stringify(await describeSelf()));
    await rename(draft, file);
  } finally {
    await release();
  }
  return () => rm(file, { force: true });
}

interface Holder {
  readonly pid: number;
  readonly start_time: string | null;
  readonly boot_id: string;
}

async function describeSelf(): Promise<Holder> {
  return { pid: process.pid, start_time: readStartTime(process.pid), boot_id: readBootId() };
}

async function holderLives(file: string): Promise<boolean> {
  let holder: unknown;
  try {
    holder = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return false;
  }
  if (typeof holder !== 'object' || holder === null) return false;
  const { pid, start_time, boot_id } = holder as Partial<Holder>;
  if (boot_id !== readBootId() || typeof pid !== 'number') return false;
  const now = readStat(pid);
  // A zombie (its parent has not collected it, as in containers without an init) holds nothing any more.
  return now !== null && !now.is_zombie && now.start_time === start_time;
}
