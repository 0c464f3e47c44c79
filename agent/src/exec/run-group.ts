import { open } from 'node:fs/promises';
import { type Attempt, AttemptError } from './attempt.ts';
import type { GroupItem } from './group-items.ts';

/** Runs the command of a task with the values that the attempt has now. */
export type RunScript = (timeout_ms: number | null) => Promise<void>;

/**
 * The command once for each item, in order, to the first that fails. Their outputs follow each other in one log, and
 * the timeout is that of the task: of all of them together.
 */
export async function runGroup(
  attempt: Attempt,
  items: readonly GroupItem[],
  logFile: string,
  run: RunScript,
): Promise<void> {
  const { shop, spec, ending } = attempt;
  const begun = shop.clock.monotonic();
  for (const [place, item] of items.entries()) {
    // How the item before ended says nothing of this one.
    attempt.exit = null;
    ending.signal.throwIfAborted();
    attempt.values = item.values;
    await appendLine(logFile, `==> item ${item.label}`);
    const left = spec.timeout_ms === null ? null : spec.timeout_ms - (shop.clock.monotonic() - begun);
    try {
      // At least a moment: a timeout of nothing would mean none.
      await run(left === null ? null : Math.max(1, left));
    } catch (error) {
      throw nameItem(error, item, place, items.length);
    }
  }
}

function nameItem(error: unknown, { label }: GroupItem, place: number, all: number): unknown {
  if (!(error instanceof AttemptError)) return error;
  const { error_type, message, tail, cause } = error;
  const named = `Item ${label}: ${message} (${place + 1} of ${all} in its group)`;
  return new AttemptError(error_type, named, { ...(tail === null ? {} : { tail }), cause });
}

/** A line of its own, also behind output that ends within a line. */
async function appendLine(file: string, text: string): Promise<void> {
  const handle = await open(file, 'a+', 0o644);
  try {
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    const begin = size > 0 && last.toString() !== '\n' ? '\n' : '';
    await handle.appendFile(`${begin}${text}\n`);
  } finally {
    await handle.close();
  }
}
