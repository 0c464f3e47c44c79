import { textWidth } from './fit-text.ts';

/** A cell, or what is measured and what is shown (colours have no width). */
export type Cell = string | readonly [plain: string, shown: string];

/** Columns two spaces apart, nothing after the last. */
export function formatTable(rows: readonly (readonly Cell[])[]): string[] {
  const width = (cell: Cell) => textWidth(typeof cell === 'string' ? cell : cell[0]);
  const shown = (cell: Cell) => (typeof cell === 'string' ? cell : cell[1]);
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, width(cell));
    });
  return rows.map((row) =>
    row
      .map((cell, column) => shown(cell) + ' '.repeat((widths[column] ?? 0) - width(cell)))
      .join('  ')
      .trimEnd(),
  );
}
