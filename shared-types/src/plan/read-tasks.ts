import type { DiagnosticList } from './diagnostic-list.ts';
import { type RawField, readFieldList } from './read-fields.ts';
import { nodeRange } from './read-markdown.ts';
import { type ProseHeading, readProseHeading } from './read-prose-heading.ts';
import { readTask } from './read-task.ts';
import { allEdits, removeLines } from './source-edits.ts';
import type { SourceText } from './source-text.ts';
import { type Section, splitSections } from './split-sections.ts';
import type { TaskDraft } from './task-draft.ts';
import { fieldNames, findFieldName } from './task-fields.ts';

/** What stands under Tasks. */
export interface TaskList {
  readonly tasks: readonly TaskDraft[];
  readonly prose: readonly ProseHeading[];
}

/** Reads every `###` under Tasks. */
export function readTasks(
  source: SourceText,
  sections: readonly Section[],
  estimates: ReadonlyMap<string, number>,
  found: DiagnosticList,
): TaskList {
  const tasks: TaskDraft[] = [];
  const prose: ProseHeading[] = [];
  for (const section of sections.flatMap((each) => splitSections(source, each.blocks, 3))) {
    const { fields, late } = readFieldList(source, section.blocks);
    const heading = readTaskHeading(source, section);
    if (!fields.some((field) => isNearField(field.key))) {
      prose.push(readProseHeading(section, heading.id));
      continue;
    }
    const { known, unknown } = sortFields(fields, found);
    const ignored = late.filter(({ key }) => fieldNames.includes(key));
    const meant = new Set([
      ...unknown.flatMap(({ suggest }) => suggest ?? []),
      ...ignored.map(({ key }) => key),
    ]);
    for (const key of known.keys()) meant.delete(key);
    const task = readTask(known, { source, found, estimates, heading, meant });
    tasks.push({ ...task, unknown, late: ignored });
  }
  return { tasks, prose };
}

function isNearField(key: string): boolean {
  return fieldNames.includes(key) || findFieldName(key) !== undefined;
}

/** `transcribe`, `Task: transcribe`, `transcribe (description)`. */
function readTaskHeading(
  source: SourceText,
  section: Section,
): { id: string; description: string | null; offset: number; id_offset: number } {
  const text = section.title.replace(/^task\s*:\s*/i, '');
  const match = /^(`?)(\S+?)\1\s*\(([\s\S]*)\)\s*$/.exec(text);
  const id = match === null ? text.replace(/^`([^`]*)`$/, '$1') : (match[2] ?? '');
  const { start, end } = nodeRange(section.heading);
  const skipped = section.title.length - text.length;
  const at = source.text.slice(start, end).indexOf(id, skipped);
  return {
    id,
    description: match === null ? null : (match[3] ?? '').trim() || null,
    offset: section.offset,
    id_offset: start + Math.max(0, at),
  };
}

function sortFields(
  fields: readonly RawField[],
  found: DiagnosticList,
): { known: Map<string, RawField>; unknown: TaskDraft['unknown'] } {
  const known = new Map<string, RawField>();
  const unknown: RawField[] = [];
  for (const field of fields) {
    const before = known.get(field.key);
    if (!fieldNames.includes(field.key)) unknown.push(field);
    else if (before !== undefined) reportDuplicate(field, before, found);
    else known.set(field.key, field);
  }
  return { known, unknown: unknown.map((field) => ({ field, suggest: findFieldName(field.key) })) };
}

function reportDuplicate(field: RawField, before: RawField, found: DiagnosticList): void {
  const { source } = found;
  const other_line = source.positionAt(before.offset).line;
  found.add({
    severity: 'error',
    rule: 'duplicate_field',
    subject: field.key,
    message: `The task has a ${field.key} in line ${other_line} already.`,
    offset: field.offset,
    other_line,
    hint: `Keep one of the two: without this one, line ${other_line} counts.`,
    edits: allEdits(removeLines(source, field.offset, field.end)),
  });
}
