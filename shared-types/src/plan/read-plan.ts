import type { RootContent } from 'mdast';
import { DiagnosticList } from './diagnostic-list.ts';
import type { FieldValue } from './field-value.ts';
import type { ParsedPlan, PlanPlaceholder } from './plan.ts';
import {
  findNearSections,
  isTaskSection,
  type NearSection,
  nameOf,
  type PlanHeading,
  readHeadings,
  splitPlanSections,
} from './read-headings.ts';
import { type DeclaredInput, type RejectedInput, readInputs } from './read-inputs.ts';
import { LONGEST_PART, MOST_LINES, nodeRange, readMarkdown } from './read-markdown.ts';
import type { ProseHeading } from './read-prose-heading.ts';
import { readScriptEstimates } from './read-script-estimates.ts';
import { placePlaceholders } from './read-task.ts';
import { readTasks } from './read-tasks.ts';
import { readCodeBlock } from './read-value.ts';
import { createSourceText, type SourceText } from './source-text.ts';
import { readTitle, type Section } from './split-sections.ts';
import type { TaskDraft } from './task-draft.ts';

/** A plan with what the checks need besides. */
export interface PlanDraft {
  readonly plan: ParsedPlan;
  readonly source: SourceText;
  readonly found: DiagnosticList;
  readonly tasks: readonly TaskDraft[];
  /** Headings under Tasks that are no tasks. */
  readonly prose: readonly ProseHeading[];
  readonly headings: readonly PlanHeading[];
  readonly near_sections: readonly NearSection[];
  /** Tasks whose heading has a number sign too few. */
  readonly deeper: readonly Section[];
  readonly inputs: readonly DeclaredInput[];
  readonly rejected_inputs: readonly RejectedInput[];
  readonly setup: FieldValue | null;
  /** Offsets of what may be missing; null when it is. */
  readonly title_offset: number | null;
  readonly other_title: { readonly text: string; readonly offset: number; readonly end: number } | null;
  readonly tasks_offset: number | null;
  readonly inputs_offset: number | null;
}

// A plan of 4,000 small tasks. It takes a second and more, in which a server answers nobody else.
const longestPlan = 400_000;

/** Reads a plan.md. Whatever the text, it never throws. */
export function readPlan(markdown: string): PlanDraft {
  const source = createSourceText(markdown);
  const found = new DiagnosticList(source);
  const blocks = readBlocks(source, found);
  const sections = splitPlanSections(source, blocks);
  const near_sections = findNearSections(sections);
  const near = new Map(near_sections.map(({ name, offset }) => [offset, name.toLowerCase()]));
  const named = (...names: string[]) =>
    sections.filter((section) => {
      const name = section.heading.depth === 2 ? nameOf(section) : '';
      return names.includes(near.get(section.offset) ?? name);
    });
  const { task_sections, deeper } = collectTaskSections(source, sections, named('tasks'));
  const { inputs, rejected: rejected_inputs } = readInputs(source, named('inputs'), found);
  const estimates = readScriptEstimates(source, named('available scripts'));
  const { tasks, prose } = readTasks(source, task_sections, estimates, found);
  const setup = readSetup(source, named('setup'));
  const setup_placeholders = setup === null ? [] : placePlaceholders(source, 'setup', setup.value);
  const title = readPlanTitle(source, blocks);
  const plan: ParsedPlan = {
    name: title.name,
    goal: readProse(source, named('goal', 'objective')),
    inputs: markUsed(inputs, [...setup_placeholders, ...tasks.flatMap(({ task }) => task.placeholders)]),
    setup: setup?.value.text ?? null,
    setup_position: setup === null ? null : source.positionAt(setup.offset),
    setup_placeholders,
    tasks: tasks.map(({ task }) => task),
  };
  return {
    plan,
    source,
    found,
    tasks,
    prose,
    headings: readHeadings(source, blocks),
    near_sections,
    deeper,
    inputs,
    rejected_inputs,
    setup: setup?.value ?? null,
    title_offset: title.offset,
    other_title: title.other,
    tasks_offset: named('tasks')[0]?.offset ?? null,
    inputs_offset: named('inputs')[0]?.offset ?? null,
  };
}

/** A task that lost a number sign would end the tasks: it is read as one of them, and reported. */
function collectTaskSections(
  source: SourceText,
  sections: readonly Section[],
  tasks: readonly Section[],
): { task_sections: Section[]; deeper: Section[] } {
  const deeper: Section[] = [];
  const task_sections = tasks.map((section) => {
    const blocks = [...section.blocks];
    for (const next of sections.slice(sections.indexOf(section) + 1)) {
      if (!isTaskSection(source, next)) break;
      deeper.push(next);
      blocks.push({ ...next.heading, depth: 3 }, ...next.blocks);
    }
    return { ...section, blocks };
  });
  return { task_sections, deeper };
}

function readBlocks(source: SourceText, found: DiagnosticList): RootContent[] {
  const { length } = source.text;
  if (length > longestPlan) {
    reportTooLarge(found, 0, `plan.md has ${length} characters; at most ${longestPlan} are read.`);
    return [];
  }
  const { blocks, unread } = readMarkdown(source.text);
  if (unread !== null) {
    const size = `${unread.end - unread.start} characters`;
    const message = `There are ${size} up to the next heading; at most ${LONGEST_PART} in ${MOST_LINES} lines are read.`;
    reportTooLarge(found, unread.start, message);
  }
  return blocks;
}

function reportTooLarge(found: DiagnosticList, offset: number, message: string): void {
  found.add({
    severity: 'error',
    rule: 'plan_too_large',
    subject: 'plan.md',
    message,
    offset,
    hint: 'Move long scripts and data into files beside it; a ``` or <!-- that is never closed has no end either.',
  });
}

function readPlanTitle(
  source: SourceText,
  blocks: readonly RootContent[],
): { name: string; offset: number | null; other: PlanDraft['other_title'] } {
  let other: PlanDraft['other_title'] = null;
  for (const block of blocks) {
    if (block.type !== 'heading' || block.depth !== 1) continue;
    const text = readTitle(source, block);
    const { start: offset, end } = nodeRange(block);
    const match = /^plan\s*[:：]\s*(\S[\s\S]*)$/i.exec(text);
    if (match !== null) return { name: match[1] ?? '', offset, other: null };
    other ??= { text, offset, end };
  }
  return { name: '', offset: null, other };
}

function readProse(source: SourceText, sections: readonly Section[]): string | null {
  const blocks = sections[0]?.blocks.filter((block) => block.type !== 'html') ?? [];
  const [first] = blocks;
  const last = blocks.at(-1);
  if (first === undefined || last === undefined) return null;
  return source.text.slice(nodeRange(first).start, nodeRange(last).end).replace(/\r\n?/g, '\n');
}

function readSetup(
  source: SourceText,
  sections: readonly Section[],
): { value: FieldValue; offset: number } | null {
  for (const block of sections.flatMap((section) => section.blocks)) {
    if (block.type === 'code') return { value: readCodeBlock(source, block), offset: nodeRange(block).start };
  }
  return null;
}

function markUsed(
  inputs: readonly DeclaredInput[],
  placeholders: readonly PlanPlaceholder[],
): ParsedPlan['inputs'] {
  const names = new Set(placeholders.map((placeholder) => placeholder.name));
  return inputs.map(({ name, description, default: value, required, kind, position }) => {
    return { name, description, default: value, required, kind, position, used: names.has(name) };
  });
}
