import type { Paint } from './paint.ts';
import { printableLine } from './printable-text.ts';

/** Past so many pairs of lines the two are shown whole: the table would take longer than reading them. */
const MOST_PAIRS = 4_000_000;

/** The lines that differ: `  12 - old`, `  12 + new`, each with its line in its own text. */
export function formatDiff(before: string, after: string, paint: Paint): string[] {
  const old_lines = splitLines(before);
  const new_lines = splitLines(after);
  let head = 0;
  while (head < old_lines.length && head < new_lines.length && old_lines[head] === new_lines[head]) head += 1;
  let tail = 0;
  const most = Math.min(old_lines.length, new_lines.length) - head;
  while (tail < most && old_lines.at(-1 - tail) === new_lines.at(-1 - tail)) tail += 1;
  const removed = old_lines.slice(head, old_lines.length - tail);
  const added = new_lines.slice(head, new_lines.length - tail);
  return compareLines(removed, added).map(({ sign, index, text }) => {
    const line = `${String(head + index + 1).padStart(5)} ${sign} ${printableLine(text, 160)}`;
    return sign === '-' ? paint.red(line) : paint.green(line);
  });
}

function splitLines(text: string): string[] {
  return text.split(/\r\n|\r|\n/);
}

interface ChangedLine {
  readonly sign: '-' | '+';
  readonly index: number;
  readonly text: string;
}

/** By the longest common subsequence, removed lines before added ones. */
function compareLines(removed: readonly string[], added: readonly string[]): ChangedLine[] {
  const width = added.length + 1;
  const known = removed.length * added.length <= MOST_PAIRS;
  const table = new Uint32Array(known ? (removed.length + 1) * width : 0);
  const common = (row: number, column: number) => table[row * width + column] ?? 0;
  for (let row = removed.length - 1; known && row >= 0; row -= 1) {
    for (let column = added.length - 1; column >= 0; column -= 1) {
      table[row * width + column] =
        removed[row] === added[column]
          ? common(row + 1, column + 1) + 1
          : Math.max(common(row + 1, column), common(row, column + 1));
    }
  }
  const changed: ChangedLine[] = [];
  let row = 0;
  let column = 0;
  while (row < removed.length || column < added.length) {
    const old_text = removed[row];
    const new_text = added[column];
    if (known && old_text !== undefined && old_text === new_text) {
      row += 1;
      column += 1;
    } else if (
      old_text !== undefined &&
      (new_text === undefined || common(row + 1, column) >= common(row, column + 1))
    ) {
      changed.push({ sign: '-', index: row, text: old_text });
      row += 1;
    } else {
      changed.push({ sign: '+', index: column, text: new_text ?? '' });
      column += 1;
    }
  }
  return changed;
}
