import type { Nodes, Root, RootContent } from 'mdast';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

/** What was read of a text; `unread`: where the part starts that is too long to be read. */
export interface MarkdownBlocks {
  readonly blocks: RootContent[];
  readonly unread: { readonly start: number; readonly end: number } | null;
}

/** Longest part between two headings, fenced code left out: what takes longest in it takes about a second. */
export const LONGEST_PART = 100_000;
/** Bullets cost 0.2 ms a line, so that lines are counted too. */
export const MOST_LINES = 5_000;

/**
 * Emphasis and links mean nothing in a plan, whose values are the text as written; and finding their pairs costs the
 * square of their number: over a minute for 100 KB of `*_`.
 */
const disable = { null: ['attention', 'labelStartImage', 'labelStartLink', 'labelEnd'] };
const processor = unified().data('micromarkExtensions', [{ disable }]).use(remarkParse).freeze();
/** Quotes and bullets in each other, which cost the square of their depth: 2 s for 20,000 of them. */
const DEEP_NESTING = /^(?:[ \t]*(?:>|[-*+]|\d+[.)])){100}/m;
/** A script of 200 KB in a fence is read in a tenth of a second: it is prose and bullets that take long. */
const FENCED = /^[ \t]*(`{3,}|~{3,})[^\n]*\n[\s\S]*?^[ \t]*\1[`~]*[ \t\r]*$/gm;
/** A heading that no container can hold, since it stands at the start of its line. */
const HEADING = /(?<=[\r\n])#{1,3}(?=[ \t\r\n])/g;

/**
 * The blocks of a markdown text, read heading by heading: the parser's time grows with the square of the length
 * (300 KB took 12 s in one piece, and take 1.5 s so). A heading at the start of a line ends every block but an open
 * fence or HTML block; whether one is open is asked of the parser itself. What is
 * defined for links in another part is not known, but nothing here is a link.
 */
export function readMarkdown(text: string): MarkdownBlocks {
  const cuts = [0, ...Array.from(text.matchAll(HEADING), (match) => match.index), text.length];
  const blocks: RootContent[] = [];
  for (let first = 0; first < cuts.length - 1; ) {
    // Twice as far each time, so that a fence over a thousand headings is not read a thousand times.
    for (let count = 1; ; count *= 2) {
      const last = Math.min(first + count, cuts.length - 1);
      const start = cuts[first] ?? 0;
      const end = cuts[last] ?? text.length;
      const part = text.slice(start, end);
      if (isTooLong(part)) return { blocks, unread: { start, end } };
      const read = readPart(part, start, end === text.length);
      if (read === null) continue;
      for (const block of read) blocks.push(block);
      first = last;
      break;
    }
  }
  return { blocks, unread: null };
}

function isTooLong(part: string): boolean {
  if (DEEP_NESTING.test(part)) return true;
  const prose = part.length > MOST_LINES ? part.replace(FENCED, '') : part;
  if (prose.length > LONGEST_PART) return true;
  let lines = 0;
  for (const _ of prose.matchAll(/\r\n|\r|\n/g)) if (++lines > MOST_LINES) return true;
  return false;
}

/** The blocks of a part; null: the heading behind it is still inside its last block. */
function readPart(part: string, start: number, isLast: boolean): RootContent[] | null {
  const root: Root = processor.parse(isLast ? part : `${part}#`);
  if (!isLast) {
    const mark = root.children.pop();
    if (mark?.type !== 'heading' || nodeRange(mark).start !== part.length) return null;
  }
  if (start > 0) for (const block of root.children) shift(block, start);
  return root.children;
}

/** Without recursion: quotes may be nested as deep as the text is long. */
function shift(block: RootContent, by: number): void {
  const nodes: Nodes[] = [block];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    for (const point of [node.position?.start, node.position?.end])
      if (point?.offset !== undefined) point.offset += by;
    if ('children' in node) for (const child of node.children) nodes.push(child);
  }
}

/** Start and end of a node in the source, end exclusive. Lines and columns of nodes are those of their part. */
export function nodeRange(node: {
  position?: { start: { offset?: number | undefined }; end: { offset?: number | undefined } } | undefined;
}): { start: number; end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}
