/** One `{NAME}`, `{ITEM.a.b}` or `{NAME:raw}` in a text. */
export interface Placeholder {
  /** As written, with braces and `:raw`. */
  readonly text: string;
  /** Without braces and `:raw`: `NAME`, `ITEM`, `ITEM.a.b`. */
  readonly name: string;
  /** The fields looked up in the item; empty for `{ITEM}` and for variables. */
  readonly path: readonly string[];
  readonly is_item: boolean;
  readonly raw: boolean;
  /** Offsets in the text, end exclusive. */
  readonly start: number;
  readonly end: number;
}

// Fields of an item come from data, so any text without shell or template syntax is one.
const pattern = /(?<!\$)\{((?:ITEM(?:\.[^\s{}.:"'`$\\]+)+)|[A-Z][A-Z0-9_]*)(:raw)?\}/g;

/** Every placeholder of a text in order. All other braces are literal. */
export function findPlaceholders(text: string): Placeholder[] {
  const found: Placeholder[] = [];
  for (const match of text.matchAll(pattern)) {
    const name = match[1] ?? '';
    const path = name.startsWith('ITEM.') ? name.split('.').slice(1) : [];
    found.push({
      text: match[0],
      name,
      path,
      is_item: name === 'ITEM' || path.length > 0,
      raw: match[2] !== undefined,
      start: match.index,
      end: match.index + match[0].length,
    });
  }
  return found;
}
