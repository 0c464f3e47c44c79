import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { listProcesses, readBootId, readStartTime } from './read-proc.ts';

const recordSchema = z.object({ pid: z.int().positive(), start_time: z.string(), boot_id: z.string() });

/**
 * One small file per process group under way, so that the next life of the agent finds what `kill -9` of
 * this one left running, even children that cleared their environment. Not fsynced: after a loss of power
 * there is no process to find either.
 */
export class ProcessRecord {
  readonly #folder: string;
  readonly #boot_id = readBootId();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  add(pid: number): void {
    const startTime = readStartTime(pid);
    if (startTime === null) return;
    const record = { pid, start_time: startTime, boot_id: this.#boot_id };
    try {
      writeFileSync(join(this.#folder, String(pid)), JSON.stringify(record));
    } catch {
      // A full disk must not end a process that is already running; its marker still finds it.
    }
  }

  remove(pid: number): void {
    rmSync(join(this.#folder, String(pid)), { force: true });
  }

  /** Groups of earlier lives that still exist, and the files that speak of no such group any more. */
  findGroups(): number[] {
    const processes = listProcesses();
    const groups: number[] = [];
    for (const name of readdirSync(this.#folder)) {
      const record = this.#read(name);
      // A pid is not given out again while a group has its number, so that members of the group which are
      // not older than its leader are its children; older ones belong to somebody else.
      const members = record === null ? [] : processes.filter((found) => found.group === record.pid);
      const isOurs =
        record !== null && members.every((found) => Number(found.start_time) >= Number(record.start_time));
      const leader = members.find((found) => found.pid === record?.pid);
      const leaderIsOurs = leader === undefined || leader.start_time === record?.start_time;
      if (record !== null && members.length > 0 && isOurs && leaderIsOurs) groups.push(record.pid);
      else rmSync(join(this.#folder, name), { force: true });
    }
    return groups;
  }

  #read(name: string): z.infer<typeof recordSchema> | null {
    try {
      const record = recordSchema.parse(JSON.parse(readFileSync(join(this.#folder, name), 'utf8')));
      return record.boot_id === this.#boot_id ? record : null;
    } catch {
      return null;
    }
  }
}
