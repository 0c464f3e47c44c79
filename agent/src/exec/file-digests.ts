import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';

/** Remembered at once; beyond it the oldest are forgotten and hashed again. 100,000 take about 30 MB. */
const MAX_REMEMBERED = 100_000;

/** Digests of files, remembered while the file stays the same: a folder is listed anew by every task that fills it. */
export class FileDigests {
  readonly #known = new Map<string, { stamp: string; sha256: string }>();
  /** Content that the control plane has accepted in a report, by path. */
  readonly #told = new Map<string, string>();

  async digest(file: string, stat: BigIntStats): Promise<string> {
    const stamp = `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
    const known = this.#known.get(file);
    if (known?.stamp === stamp) return known.sha256;
    const sha256 = await hashFile(file);
    remember(this.#known, file, { stamp, sha256 });
    return sha256;
  }

  isTold(file: string, sha256: string): boolean {
    return this.#told.get(file) === sha256;
  }

  noteTold(file: string, sha256: string): void {
    remember(this.#told, file, sha256);
  }
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_REMEMBERED) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(file, 'r');
  try {
    for await (const piece of handle.createReadStream({ autoClose: false, highWaterMark: 1_048_576 })) {
      hash.update(piece);
    }
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}
