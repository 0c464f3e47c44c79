import type { Code } from 'mdast';
import { nodeRange } from './read-markdown.ts';
import type { Section } from './split-sections.ts';

/** A `###` under Tasks without fields: prose, unless a task was meant. */
export interface ProseHeading {
  readonly id: string;
  readonly title: string;
  readonly offset: number;
  /** Start of the only fence beneath it, where that is bash: probably its command. */
  readonly fence: number | null;
}

const shellLanguages = new Set(['bash', 'sh', 'shell', 'zsh', 'console']);

export function readProseHeading(section: Section, id: string): ProseHeading {
  const fences = section.blocks.filter((block): block is Code => block.type === 'code');
  const [first] = fences;
  const isCommand = fences.length === 1 && shellLanguages.has(first?.lang?.toLowerCase() ?? '');
  return {
    id,
    title: section.title,
    offset: section.offset,
    fence: first !== undefined && isCommand ? nodeRange(first).start : null,
  };
}
