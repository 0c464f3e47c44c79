import type { AttemptView } from '@planfleet/shared-types';
import { printableLine, printableText } from './printable-text.ts';

/** Why an attempt ended as it did: `exit code 3: no total found`. An exit code of 0 is never the reason. */
export function formatReason(attempt: AttemptView): string {
  const how =
    attempt.signal !== null
      ? `ended by ${printableLine(attempt.signal, 20)}`
      : attempt.exit_code
        ? `exit code ${attempt.exit_code}`
        : (attempt.error_type ?? attempt.outcome);
  const message = attempt.message === null ? '' : printableLine(attempt.message, 2_000);
  if (message === '' || message === how) return how;
  // The agent's sentence often begins with the same words.
  return message.toLowerCase().includes(how.toLowerCase()) ? message : `${how}: ${message}`;
}

/** The last lines of an attempt's output, indented; empty when it printed nothing. */
export function formatTail(attempt: AttemptView, lines: number): string[] {
  const all = printableText(attempt.tail).trimEnd().split('\n');
  if (all.length === 1 && all[0] === '') return [];
  const kept = all.slice(-lines).map((line) => `    ${line.length > 500 ? `${line.slice(0, 499)}…` : line}`);
  return all.length > lines ? ['    …', ...kept] : kept;
}

/** An item as its plan's author knows it. */
export function formatItem(item: unknown): string {
  return printableLine(typeof item === 'string' ? item : JSON.stringify(item), 300);
}

/** The items of a group: how many, and the first of them. */
export function formatItems(items: readonly unknown[]): string {
  return printableLine(`${items.length}: ${items.slice(0, 20).map(formatItem).join(', ')}`, 300);
}
