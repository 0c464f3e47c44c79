import type { AttemptResult, LogEntry } from '../exec/attempt-order.ts';
import { leaseText } from './lease-book.ts';
import type { OutboxLog } from './outbox-log.ts';
import { WakeUp } from './wake-up.ts';

export interface OutboxEntry {
  result: AttemptResult;
  /** `writing`: not on disk yet. `held`: waits for files of others. `attached`: what the report names is still being sent. `ready`: to be posted. */
  state: 'writing' | 'held' | 'attached' | 'ready';
  /** Times that the control plane has missed items of its lists. */
  incomplete: number;
  /** Times that a file of it has changed before it was uploaded. */
  corrections: number;
}

/**
 * Reports that the control plane has not acknowledged. One is posted only when it is on disk. Group
 * commit: all that arrive while the disk works share the next fsync (at 2 ms each, 500 short tasks a
 * second would need a whole disk otherwise).
 */
export class Outbox {
  readonly entries = new Map<string, OutboxEntry>();
  /** Rings when an entry is ready to be posted. */
  readonly ready = new WakeUp();
  readonly #log: OutboxLog;
  readonly #say: (entry: LogEntry) => void;
  readonly #onDurable: (entry: OutboxEntry) => void;
  readonly #idle: (() => void)[] = [];
  readonly #gone = new Map<string, (() => void)[]>();
  readonly #held = new Set<OutboxEntry>();
  readonly #onHeldChange: () => void;
  #gathered: OutboxEntry[] = [];
  #work: Promise<void> = Promise.resolve();
  #writing = false;
  #closed = false;

  constructor(
    log: OutboxLog,
    say: (entry: LogEntry) => void,
    onDurable: (entry: OutboxEntry) => void,
    onHeldChange: () => void = () => undefined,
  ) {
    this.#onHeldChange = onHeldChange;
    this.#log = log;
    this.#say = say;
    this.#onDurable = onDurable;
  }

  /** Takes over what earlier lives have left on disk. */
  takeOver(results: readonly AttemptResult[]): void {
    for (const result of results) {
      const entry: OutboxEntry = { result, state: 'attached', incomplete: 0, corrections: 0 };
      this.entries.set(leaseText(result.report), entry);
      this.#onDurable(entry);
    }
  }

  add(result: AttemptResult): void {
    const entry: OutboxEntry = { result, state: 'writing', incomplete: 0, corrections: 0 };
    this.entries.set(leaseText(result.report), entry);
    this.#write(entry);
  }

  #write(entry: OutboxEntry): void {
    this.#gathered.push(entry);
    if (this.#writing) return;
    this.#writing = true;
    this.#work = this.#work.then(() => this.#writeGathered());
  }

  /** All that the report names is at the control plane. */
  markReady(entry: OutboxEntry): void {
    entry.state = 'ready';
    this.ready.ring();
  }

  remove(entries: readonly OutboxEntry[]): void {
    const results = entries.map((entry) => entry.result);
    for (const { report } of results) {
      const key = leaseText(report);
      this.entries.delete(key);
      for (const resolve of this.#gone.get(key) ?? []) resolve();
      this.#gone.delete(key);
    }
    // Behind the writes, since both change the segment's length.
    this.#work = this.#work
      .then(() => this.#log.remove(results))
      .catch((error: unknown) => this.#complain('An acknowledged report could not be removed', error));
    if (this.entries.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Puts another report in the place of one that cannot be delivered. */
  replace(entry: OutboxEntry, result: AttemptResult): void {
    entry.state = 'writing';
    // In this order, since both have the same key on disk.
    this.#work = this.#work
      .then(() => this.#log.remove([entry.result]))
      .catch((error: unknown) => this.#complain('A refused report could not be removed', error))
      .then(() => this.add(result));
  }

  /** Reports kept back: their tasks hold no slot of the machine. */
  get held(): number {
    return this.#held.size;
  }

  async #hold(entry: OutboxEntry, held: Promise<AttemptResult>): Promise<void> {
    entry.state = 'held';
    if (this.#held.add(entry).size === 1) this.#onHeldChange();
    const result = await held;
    this.#held.delete(entry);
    // Only when the last one goes: while there are more, slots were neither taken nor given.
    if (this.#held.size === 0) this.#onHeldChange();
    // What is on disk goes out at the next start.
    if (!this.#closed) this.correct(entry, result);
  }

  /** Puts a corrected report in the place of one whose files changed; what both name on disk stays. */
  correct(entry: OutboxEntry, result: AttemptResult): void {
    entry.result = result;
    entry.state = 'writing';
    this.#write(entry);
  }

  /** Resolves when every report is acknowledged. */
  whenEmpty(): Promise<void> {
    return this.entries.size === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Resolves when the report of this lease is acknowledged. */
  whenGone(lease: string): Promise<void> {
    if (!this.entries.has(lease)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#gone.set(lease, [...(this.#gone.get(lease) ?? []), resolve]);
    });
  }

  /** Resolves when every report given so far is on disk. */
  async whenWritten(): Promise<void> {
    while (this.#writing) await this.#work;
  }

  async close(): Promise<void> {
    await this.whenWritten();
    await this.#work;
    this.#closed = true;
    await this.#log.close();
  }

  async #writeGathered(): Promise<void> {
    while (this.#gathered.length > 0) {
      const group = this.#gathered;
      this.#gathered = [];
      try {
        await this.#log.append(group.map((entry) => entry.result));
      } catch (error) {
        // A full disk: posting an unsaved report risks that one report; keeping it back risks all of them.
        this.#complain('Reports could not be saved to disk and are sent unsaved', error);
      }
      for (const entry of group) {
        const { held } = entry.result;
        if (held !== undefined) void this.#hold(entry, held);
        else {
          entry.state = 'attached';
          this.#onDurable(entry);
        }
      }
    }
    this.#writing = false;
  }

  #complain(message: string, error: unknown): void {
    this.#say({ level: 'error', event: 'outbox_disk', message: `${message}: ${String(error)}` });
  }
}
