import type { PlanDraft } from '../read-plan.ts';
import { allEdits, removeLines, replaceText, type SourceEdit } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';
import { fieldNames } from '../task-fields.ts';
import { findNeededField } from './needed-field.ts';
import { usesItem } from './task-index.ts';

/** Fields that do not count: because of their name, or of the place they stand in. */
export function checkFieldLists(draft: PlanDraft): void {
  for (const task of draft.tasks) {
    reportUnknown(draft, task);
    reportLate(draft, task);
    reportNear(draft, task);
    reportRemarks(draft, task);
  }
}

/** An error where the task cannot run without it; nothing else is reported then. */
function severityOf(task: TaskDraft, key: string | undefined): 'error' | 'warning' {
  if (key === undefined || !task.meant.has(key)) return 'warning';
  const needed =
    findNeededField(task) === key || (key === 'foreach' && task.task.placeholders.some(usesItem));
  return needed ? 'error' : 'warning';
}

function reportUnknown(draft: PlanDraft, task: TaskDraft): void {
  const renamed = new Set(task.fields.keys());
  for (const { field, suggest } of task.unknown) {
    const taken = suggest !== undefined && renamed.has(suggest);
    if (suggest !== undefined) renamed.add(suggest);
    draft.found.add({
      severity: severityOf(task, suggest),
      rule: 'unknown_key',
      subject: field.written_key,
      message: `The plan format has no field "${field.written_key}"; it is ignored.`,
      offset: field.offset,
      suggest,
      hint:
        suggest === undefined
          ? `Remove it, or write it as prose below the fields. The fields are: ${fieldNames.join(', ')}.`
          : `Did you mean ${suggest}?${taken ? ' The task has one already: remove this one.' : ''}`,
      edits:
        suggest === undefined || taken
          ? undefined
          : allEdits(replaceText(draft.source, field.key_offset, field.written_key, suggest)),
    });
  }
}

function reportLate(draft: PlanDraft, task: TaskDraft): void {
  const moved = new Set(task.fields.keys());
  for (const field of task.late) {
    const taken = moved.has(field.key);
    moved.add(field.key);
    draft.found.add({
      severity: severityOf(task, field.key),
      rule: 'ignored_field',
      subject: field.key,
      message: `Prose above ends the field list, so this ${field.key} does not count.`,
      offset: field.offset,
      hint: taken
        ? `Remove it: the task has a ${field.key} among its fields already.`
        : 'Move it up to the other fields, or the prose below them.',
      edits: taken ? undefined : moveUp(draft, task, field),
    });
  }
}

function reportNear(draft: PlanDraft, task: TaskDraft): void {
  for (const { key, offset, missing, edit } of task.near) {
    const taken = task.fields.has(key);
    draft.found.add({
      severity: severityOf(task, key),
      rule: 'near_field',
      subject: key,
      message:
        missing === 'bullet'
          ? `This line names the field ${key} and has no bullet, so it is part of the value above.`
          : `This bullet names the field ${key}, but is not written as one, and is ignored.`,
      offset,
      hint: taken ? `Remove it: the task has a ${key} already.` : `Write "- **${key}**: ...".`,
      edits: taken ? undefined : [edit],
    });
  }
}

/** Behind the last field that counts; only where both stand at the same depth. */
function moveUp(
  draft: PlanDraft,
  task: TaskDraft,
  field: TaskDraft['late'][number],
): SourceEdit[] | undefined {
  const last = [...task.fields.values(), ...task.unknown.map((each) => each.field)]
    .sort((a, b) => a.offset - b.offset)
    .at(-1);
  const { source } = draft;
  const lines = removeLines(source, field.offset, field.end);
  if (last === undefined || lines === null) return undefined;
  if (source.positionAt(last.offset).column !== 1 || source.positionAt(field.offset).column !== 1)
    return undefined;
  const text = source.line_end + source.text.slice(field.offset, field.end);
  return [{ start: last.end, end: last.end, replacement: text }, lines];
}

/** `` `a` and then `b` ``: prose behind inline code is a remark, but code in it was probably meant to run. */
function reportRemarks(draft: PlanDraft, task: TaskDraft): void {
  for (const [key, field] of task.fields) {
    if (key !== 'command' || field.code_before_remark === null || field.more_code === 0) continue;
    draft.found.add({
      severity: 'warning',
      rule: 'ignored_text',
      subject: key,
      message: `Only the first inline code is the ${key}; what stands behind it, with more code, is a remark.`,
      offset: field.offset,
      hint: 'Write several commands in a fenced block beneath the field, one in each line.',
    });
  }
}
