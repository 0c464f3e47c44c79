import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { sep } from 'node:path';
import { FolderCache } from './folder-cache.ts';
import { OutputLedger } from './output-ledger.ts';

/** Outputs remembered at once; a forgotten one is only listed anew, and costs no second upload. */
const MAX_LEDGERS = 500;
/** 100,000 take about 20 MB. */
const MAX_TOLD = 100_000;

export interface OutputBook {
  readonly ledger: OutputLedger;
  readonly folders: FolderCache;
}

/** One ledger per output, and what the control plane has accepted. */
export class Ledgers {
  readonly #books = new Map<string, OutputBook>();
  readonly #told = new Map<string, string>();

  of(output: string): OutputBook {
    const book = this.#books.get(output) ?? { ledger: new OutputLedger(), folders: new FolderCache() };
    this.#books.delete(output);
    this.#books.set(output, book);
    if (this.#books.size > MAX_LEDGERS) {
      for (const [old, { ledger }] of this.#books) {
        if (old === output || ledger.hasRunning) continue;
        this.#books.delete(old);
        break;
      }
    }
    return book;
  }

  /** Whether anybody that runs may still write this file. */
  hasRunningWriter(file: string): boolean {
    return this.#covering(file).some(({ ledger }) => ledger.hasRunning);
  }

  unsettle(file: string): void {
    for (const { ledger } of this.#covering(file)) ledger.unsettle(file);
  }

  isTold(file: string, sha256: string): boolean {
    return this.#told.get(file) === sha256;
  }

  noteTold(file: string, sha256: string): void {
    this.#told.delete(file);
    this.#told.set(file, sha256);
    const [oldest] = this.#told.keys();
    if (this.#told.size > MAX_TOLD && oldest !== undefined) this.#told.delete(oldest);
  }

  #covering(file: string): OutputBook[] {
    return [...this.#books]
      .filter(([output]) => file === output || file.startsWith(output + sep))
      .map(([, book]) => book);
  }
}

export async function hashFile(file: string): Promise<string> {
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
