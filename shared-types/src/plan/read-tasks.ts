import type { DiagnosticList } from './diagnostic-list.ts';
import { joinLines } from './field-value.ts';
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
    const { fields, late, near } = readFieldList(source, section.blocks);
    const heading = readTaskHeading(source, section);
    if (near.length === 0 && !fields.some((field) => isNearField(field.key))) {
      prose.push(readProseHeading(section, heading.id));
      continue;
    }
    const { known, unknown } = sortFields(fields, found);
    const ignored = late.filter(({ key }) => fieldNames.includes(key));
    const meant = new Set([
      ...unknown.flatMap(({ suggest }) => suggest ?? []),
      ...ignored.map(({ key }) => key),
      ...near.map(({ key }) => key),
    ]);
    for (const key of known.keys()) meant.delete(key);
    const task = readTask(known, { source, found, estimates, heading, meant });
    tasks.push({ ...task, unknown, late: ignored, near });
  }
  return { tasks, prose };
}

const isText = new Set(['command', 'prompt', 'schema', 'system', 'context']);

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
  if (reportSecondList(fields, found)) return sortFields(takeFirst(fields), found);
  for (const field of fields) {
    const before = known.get(field.key);
    if (!fieldNames.includes(field.key)) unknown.push(field);
    else if (before !== undefined) reportDuplicate(field, before, found);
    else known.set(field.key, field);
  }
  return { known, unknown: unknown.map((field) => ({ field, suggest: findFieldName(field.key) })) };
}

/** Each known field once, where it stands first. */
function takeFirst(fields: readonly RawField[]): RawField[] {
  return fields.filter(({ key }, index) => fields.findIndex((field) => field.key === key) === index);
}

/** Fields that begin anew are those of another task, whose heading is missing: one fault, however many fields. */
function reportSecondList(fields: readonly RawField[], found: DiagnosticList): boolean {
  const first = new Set(takeFirst(fields));
  const again = fields.filter((field) => !first.has(field) && fieldNames.includes(field.key));
  const [start] = again;
  const keys = new Set(again.map(({ key }) => key));
  if (start === undefined || keys.size < 3 || !(keys.has('command') || keys.has('prompt'))) return false;
  const other = fields.find(({ key }) => key === start.key) ?? start;
  const other_line = found.source.positionAt(other.offset).line;
  const { line } = found.source.positionAt(start.offset);
  found.add({
    severity: 'error',
    rule: 'duplicate_field',
    subject: start.key,
    message: `The fields of the task in line ${other_line} begin again: is the heading of another task missing?`,
    offset: start.offset,
    other_line,
    hint: `Write "### task_id" above line ${line}.`,
  });
  return true;
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
    // Two commands that differ are not ours to choose from.
    edits:
      isText.has(field.key) && joinLines(field.value).text !== joinLines(before.value).text
        ? undefined
        : allEdits(removeLines(source, field.offset, field.end)),
  });
}
