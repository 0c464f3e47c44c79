import type { Root, RootContent } from 'mdast';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

/** The blocks of a markdown text. */
export function readMarkdown(text: string): RootContent[] {
  const root: Root = unified().use(remarkParse).parse(text);
  return root.children;
}

/** Start and end of a node in the source, end exclusive. */
export function nodeRange(node: {
  position?: { start: { offset?: number | undefined }; end: { offset?: number | undefined } } | undefined;
}): { start: number; end: number } {
  return { start: node.position?.start.offset ?? 0, end: node.position?.end.offset ?? 0 };
}
