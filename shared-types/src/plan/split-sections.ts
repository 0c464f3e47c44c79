import type { Heading, RootContent } from 'mdast';
import { nodeRange } from './read-markdown.ts';
import { readInlineValue } from './read-value.ts';
import type { SourceText } from './source-text.ts';

/** A heading with the blocks up to the next heading of the same depth or above. */
export interface Section {
  readonly title: string;
  readonly heading: Heading;
  readonly offset: number;
  readonly blocks: readonly RootContent[];
}

/** The sections of one depth, in order; what stands before the first is left out. */
export function splitSections(source: SourceText, blocks: readonly RootContent[], depth: number): Section[] {
  const sections: { heading: Heading; blocks: RootContent[] }[] = [];
  let open: RootContent[] | null = null;
  for (const block of blocks) {
    if (block.type === 'heading' && block.depth <= depth) {
      open = null;
      if (block.depth === depth) {
        open = [];
        sections.push({ heading: block, blocks: open });
      }
    } else {
      open?.push(block);
    }
  }
  return sections.map((section) => ({
    ...section,
    title: readTitle(source, section.heading),
    offset: nodeRange(section.heading).start,
  }));
}

/** The text of a heading as written, minus comments. */
export function readTitle(source: SourceText, heading: Heading): string {
  const [first] = heading.children;
  if (first === undefined) return '';
  return readInlineValue(source, heading, nodeRange(first).start).value.text.replace(/\s+/g, ' ');
}
