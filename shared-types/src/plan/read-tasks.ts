import type { DiagnosticList } from './diagnostic-list.ts';
import { findNearestName } from './find-nearest-name.ts';
import { type RawField, readFieldList } from './read-fields.ts';
import { readTask } from './read-task.ts';
import type { SourceText } from './source-text.ts';
import { type Section, splitSections } from './split-sections.ts';
import type { TaskDraft } from './task-draft.ts';
import { fieldNames } from './task-fields.ts';

/** Reads every `###` under Tasks. */
export function readTasks(
  source: SourceText,
  sections: readonly Section[],
  estimates: ReadonlyMap<string, number>,
  found: DiagnosticList,
): TaskDraft[] {
  const headings = sections.flatMap((section) => splitSections(source, section.blocks, 3));
  return headings.flatMap((section) => {
    const { fields, late } = readFieldList(source, section.blocks);
    const heading = { ...readTaskHeading(section.title), offset: section.offset };
    if (!fields.some((field) => isNearField(field.key))) {
      found.add({
        severity: 'warning',
        rule: 'heading_without_fields',
        subject: section.title,
        message: `"${section.title}" has no fields and is read as prose, not as a task.`,
        offset: section.offset,
        hint: 'Give it at least a command, or move it out of Tasks.',
      });
      return [];
    }
    reportLate(late, found);
    return [readTask(keepKnown(fields, source, found), { source, found, estimates, heading })];
  });
}

function isNearField(key: string): boolean {
  return fieldNames.includes(key) || findNearestName(key, fieldNames) !== undefined;
}

/** `transcribe`, `Task: transcribe`, `transcribe (description)`. */
function readTaskHeading(title: string): { id: string; description: string | null } {
  const text = title.replace(/^task\s*:\s*/i, '');
  const match = /^(`?)(\S+?)\1\s*\(([\s\S]*)\)\s*$/.exec(text);
  if (match !== null) return { id: match[2] ?? '', description: (match[3] ?? '').trim() || null };
  return { id: text.replace(/^`([^`]*)`$/, '$1'), description: null };
}

function keepKnown(
  fields: readonly RawField[],
  source: SourceText,
  found: DiagnosticList,
): Map<string, RawField> {
  const kept = new Map<string, RawField>();
  for (const field of fields) {
    const before = kept.get(field.key);
    if (!fieldNames.includes(field.key)) reportUnknown(field, found);
    else if (before !== undefined) reportDuplicate(field, source.positionAt(before.offset).line, found);
    else kept.set(field.key, field);
  }
  return kept;
}

function reportUnknown(field: RawField, found: DiagnosticList): void {
  const suggest = findNearestName(field.key, fieldNames);
  const start = field.key_offset;
  found.add({
    severity: 'warning',
    rule: 'unknown_key',
    subject: field.written_key,
    message: `The plan format has no field "${field.written_key}"; it is ignored.`,
    offset: field.offset,
    suggest,
    ...(suggest === undefined
      ? {}
      : {
          hint: `Did you mean ${suggest}?`,
          fix: { start, end: start + field.written_key.length, replacement: suggest },
        }),
  });
}

function reportDuplicate(field: RawField, other_line: number, found: DiagnosticList): void {
  found.add({
    severity: 'error',
    rule: 'duplicate_field',
    subject: field.key,
    message: `The task has a ${field.key} in line ${other_line} already.`,
    offset: field.offset,
    other_line,
    hint: 'Keep one of the two.',
  });
}

function reportLate(fields: readonly RawField[], found: DiagnosticList): void {
  for (const field of fields) {
    if (!fieldNames.includes(field.key)) continue;
    found.add({
      severity: 'warning',
      rule: 'ignored_field',
      subject: field.key,
      message: `Prose above ends the field list, so this ${field.key} does not count.`,
      offset: field.offset,
      hint: 'Move it up to the other fields, or the prose below them.',
    });
  }
}
