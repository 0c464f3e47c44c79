import type { RootContent } from 'mdast';
import { findNearestName } from './find-nearest-name.ts';
import { readFieldList } from './read-fields.ts';
import { nodeRange } from './read-markdown.ts';
import type { SourceText } from './source-text.ts';
import { readTitle, type Section } from './split-sections.ts';
import { fieldNames } from './task-fields.ts';

/** Any heading of a plan. */
export interface PlanHeading {
  readonly text: string;
  readonly depth: number;
  readonly offset: number;
  readonly end: number;
  /** A `###` with fields of a task beneath it. */
  readonly holds_task: boolean;
}

export function readHeadings(source: SourceText, blocks: readonly RootContent[]): PlanHeading[] {
  return blocks.flatMap((block, index) => {
    if (block.type !== 'heading') return [];
    const { start, end } = nodeRange(block);
    const holds_task = block.depth === 3 && holdsTask(source, blocks.slice(index + 1, index + 4));
    return [{ text: readTitle(source, block), depth: block.depth, offset: start, end, holds_task }];
  });
}

function holdsTask(source: SourceText, blocks: readonly RootContent[]): boolean {
  return readFieldList(source, blocks).fields.some(({ key }) => fieldNames.includes(key));
}

/** A section whose name is misspelled, and what it is read as. */
export interface NearSection {
  readonly name: string;
  readonly title: string;
  readonly offset: number;
}

const sectionNames = ['Inputs', 'Setup', 'Tasks', 'Available Scripts'];

/** Sections that are near one that the plan does not have otherwise. */
export function findNearSections(sections: readonly Section[]): NearSection[] {
  const taken = new Set(sections.map(nameOf));
  return sections.flatMap((section) => {
    const name = findNearestName(nameOf(section), sectionNames);
    if (name === undefined || taken.has(name.toLowerCase())) return [];
    taken.add(name.toLowerCase());
    return [{ name, title: section.title, offset: section.offset }];
  });
}

/** The name of a section as it is compared. */
export function nameOf(section: Section): string {
  return section.title.toLowerCase().replace(/\s*:$/, '');
}
