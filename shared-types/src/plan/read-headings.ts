import type { RootContent } from 'mdast';
import { findNearestName } from './find-nearest-name.ts';
import { readFieldList } from './read-fields.ts';
import { nodeRange } from './read-markdown.ts';
import type { SourceText } from './source-text.ts';
import { readTitle, type Section, splitSections } from './split-sections.ts';
import { fieldNames } from './task-fields.ts';

/** Any heading of a plan. */
export interface PlanHeading {
  readonly text: string;
  readonly depth: number;
  readonly offset: number;
  readonly end: number;
  /** Whether it is a `###` with fields of a task beneath it; reads them, which takes its time. */
  holdsTask(): boolean;
}

export function readHeadings(source: SourceText, blocks: readonly RootContent[]): PlanHeading[] {
  return blocks.flatMap((block, index) => {
    if (block.type !== 'heading') return [];
    const { start, end } = nodeRange(block);
    const beneath = () => block.depth === 3 && holdsTask(source, blocks.slice(index + 1, index + 4));
    return [{ text: readTitle(source, block), depth: block.depth, offset: start, end, holdsTask: beneath }];
  });
}

/** Whether fields of a task stand directly beneath a heading. */
export function holdsTask(source: SourceText, blocks: readonly RootContent[]): boolean {
  return readFieldList(source, blocks).fields.some(({ key }) => fieldNames.includes(key));
}

/** A section whose name or depth is wrong, and what it is read as. */
export interface NearSection {
  readonly name: string;
  readonly title: string;
  readonly offset: number;
  /** Of its heading. */
  readonly depth: number;
}

const sectionNames = ['Inputs', 'Setup', 'Tasks', 'Available Scripts'];

/** Sections of the plan, those with one number sign too; each ends at the next heading of either depth. */
export function splitPlanSections(source: SourceText, blocks: readonly RootContent[]): Section[] {
  const sections = splitSections(source, blocks, 2);
  const wrong = blocks.flatMap((block, index) => {
    if (block.type !== 'heading' || block.depth !== 1) return [];
    const own = takeBlocks(blocks, index + 1);
    const title = readTitle(source, block);
    return [{ title, heading: block, blocks: own, offset: nodeRange(block).start }];
  });
  return [...sections, ...wrong].sort((a, b) => a.offset - b.offset);
}

/** Up to the next heading of a section or above. */
function takeBlocks(blocks: readonly RootContent[], from: number): RootContent[] {
  let end = from;
  for (let block = blocks[end]; block !== undefined; block = blocks[end]) {
    if (block.type === 'heading' && block.depth <= 2) break;
    end += 1;
  }
  return blocks.slice(from, end);
}

const taskTitle = /^(?:task\s*:\s*)?`?[a-z_][\w.-]*`?(?:\s*\(.*\))?$/i;

/** A heading with two number signs and the fields of a task, behind the tasks. */
export function isTaskSection(source: SourceText, section: Section): boolean {
  if (section.heading.depth !== 2 || !taskTitle.test(section.title)) return false;
  const keys = new Set(readFieldList(source, section.blocks).fields.map(({ key }) => key));
  const known = fieldNames.filter((name) => keys.has(name));
  return (keys.has('command') || keys.has('prompt')) && known.length > 1;
}

/** Sections that are near one that the plan does not have otherwise. */
export function findNearSections(sections: readonly Section[]): NearSection[] {
  const taken = new Set(sections.flatMap((each) => (each.heading.depth === 2 ? nameOf(each) : [])));
  return sections.flatMap((section) => {
    const { depth } = section.heading;
    const name = sectionNames.find((known) => known.toLowerCase() === nameOf(section));
    const near = depth === 2 ? (name ?? findNearestName(nameOf(section), sectionNames)) : name;
    if (near === undefined || taken.has(near.toLowerCase())) return [];
    taken.add(near.toLowerCase());
    return [{ name: near, title: section.title, offset: section.offset, depth }];
  });
}

/** The name of a section as it is compared. */
export function nameOf(section: Section): string {
  return section.title.toLowerCase().replace(/\s*:$/, '');
}
