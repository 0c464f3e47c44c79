import type { Position } from './plan.ts';

/** The text of plan.md without a byte order mark, and the lines and columns in it. */
export interface SourceText {
  readonly text: string;
  positionAt(offset: number): Position;
  offsetAt(line: number): number;
  readonly line_count: number;
  readonly line_end: string;
}

export function createSourceText(markdown: string): SourceText {
  const text = markdown.startsWith('\uFEFF') ? markdown.slice(1) : markdown;
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
  return {
    text,
    line_count: starts.length,
    line_end: text.includes('\r\n') ? '\r\n' : '\n',
    offsetAt: (line) => starts[Math.max(0, Math.min(line, starts.length) - 1)] ?? 0,
    positionAt(offset) {
      const inside = Math.max(0, Math.min(offset, text.length));
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if ((starts[middle] ?? 0) <= inside) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: inside - (starts[low] ?? 0) + 1 };
    },
  };
}
