import type { PlaceholderPart } from './command-parts.ts';

/** The placeholders, by offset, that stand in text which another shell reads as a command. */
export function findInnerShells(
  command: string,
  placeholders: readonly PlaceholderPart[],
): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const { offset, context } of placeholders) {
    if (!readsAsText.has(context.kind)) continue;
    // Up to the quote that the placeholder stands in: `bash -c "... {NAME}`.
    const before = command.slice(Math.max(0, offset - 2000), offset);
    const quote = context.kind === 'double_quotes' ? '"' : context.kind === 'bare' ? '' : "'";
    const match = innerShell(quote).exec(before);
    if (match !== null) found.set(offset, match[1] ?? 'another shell');
  }
  return found;
}

const readsAsText = new Set(['bare', 'double_quotes', 'single_quotes', 'ansi_c_quotes']);

function innerShell(quote: string): RegExp {
  const shell = '((?:\\b(?:ba|da|k|z)?sh\\s+(?:-\\w+\\s+)*-\\w*c)|\\beval)';
  const inside = quote === '' ? '[^\\s"\';|&]*' : `\\$?${quote}[^${quote}]*`;
  return new RegExp(`${shell}\\s+${inside}$`);
}
