import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** On a shared disk another agent may be filling a draft; no bundle takes a day to arrive. */
const SHARED_AGE_MS = 86_400_000;

/** Removes what an earlier life was fetching or unpacking when it died. */
export async function sweepDrafts(plans: string, isShared: boolean, now: number): Promise<void> {
  const names = await readdir(plans).catch(() => []);
  for (const name of names) {
    if (!/^\.(arrival-|[0-9a-f]{64}\.)/.test(name)) continue;
    const path = join(plans, name);
    const changed = (await stat(path).catch(() => null))?.mtimeMs ?? now;
    if (isShared && now - changed < SHARED_AGE_MS) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
