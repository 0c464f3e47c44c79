import { builtinVariables } from '../../template/lookup-value.ts';
import { findNearestName } from '../find-nearest-name.ts';
import type { PlanPlaceholder } from '../plan.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, insertFieldBefore, replaceText, type SourceEdit } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';
import { indexTasks, usesItem } from './task-index.ts';

/** Every placeholder has a value, and `:raw` is for inputs only. */
export function checkPlaceholders(draft: PlanDraft): void {
  // A name that is listed in small letters is reported where it is listed.
  const misnamed = new Set(draft.rejected_inputs.map((input) => input.better));
  const inputs = new Set(draft.plan.inputs.map((input) => input.name));
  for (const placeholder of draft.plan.setup_placeholders)
    if (!misnamed.has(placeholder.name)) checkPlaceholder(draft, placeholder, inputs, null);
  for (const task of draft.tasks) {
    reportNoItem(draft, task);
    for (const placeholder of task.task.placeholders) {
      if (misnamed.has(placeholder.name)) continue;
      if (task.has_foreach || !usesItem(placeholder)) checkPlaceholder(draft, placeholder, inputs, task);
    }
  }
}

function checkPlaceholder(
  draft: PlanDraft,
  placeholder: PlanPlaceholder,
  inputs: ReadonlySet<string>,
  task: TaskDraft | null,
): void {
  const { name } = placeholder;
  if (usesItem(placeholder) ? task === null : !inputs.has(name) && !builtinVariables.includes(name)) {
    reportUnresolved(draft, placeholder, inputs);
  } else if (placeholder.raw) {
    reportRaw(draft, placeholder, inputs.has(name));
  }
}

/** One fault, however many placeholders of the task need an item: at the first of them. */
function reportNoItem(draft: PlanDraft, task: TaskDraft): void {
  const [first, ...more] = task.task.placeholders.filter(usesItem);
  if (first === undefined || task.has_foreach) return;
  const others = more.length === 0 ? '' : ` So ${more.length === 1 ? 'does' : 'do'} ${more.length} more.`;
  const list = findList(draft, task);
  const field = task.fields.get('command') ?? [...task.fields.values()][0];
  draft.found.add({
    severity: 'error',
    rule: 'unresolved_placeholder',
    subject: first.name,
    message: `{${first.name}} needs an item, and "${task.task.id}" has no foreach.${others}`,
    offset: offsetOf(draft, first),
    hint: list === null ? 'Give the task a foreach.' : `Write "- **foreach**: ${list}".`,
    edits:
      list === null || field === undefined
        ? undefined
        : [insertFieldBefore(draft.source, field, `**foreach**: ${list}`)],
  });
}

/** The list of the tasks that it waits for item by item, as they write it. */
function findList(draft: PlanDraft, task: TaskDraft): string | null {
  const tasks = indexTasks(draft);
  const lists = task.dependencies.per_item.map(
    (id) => tasks.get(id)?.fields.get('foreach')?.value.text ?? '',
  );
  const [list] = lists;
  return list !== undefined && /^[^\n]+$/.test(list) && lists.every((each) => each === list) ? list : null;
}

function reportUnresolved(draft: PlanDraft, placeholder: PlanPlaceholder, inputs: ReadonlySet<string>): void {
  const { name } = placeholder;
  const ofItem = usesItem(placeholder);
  const known = [...inputs, ...builtinVariables];
  const suggest = ofItem ? undefined : findNearestName(name, known);
  const offset = offsetOf(draft, placeholder);
  draft.found.add({
    severity: 'error',
    rule: 'unresolved_placeholder',
    subject: name,
    message: ofItem
      ? `{${name}} needs an item, and Setup has none.`
      : `{${name}} is neither an input nor set by planfleet.`,
    offset,
    suggest,
    hint: ofItem
      ? 'Setup runs once for each machine; use it in a task with a foreach.'
      : suggest === undefined
        ? `List ${name} under Inputs, or use one of: ${known.slice(0, 30).join(', ')}.`
        : `Did you mean {${suggest}}?`,
    edits: ofItem
      ? undefined
      : suggest === undefined
        ? allEdits(insertInput(draft, name))
        : allEdits(replaceText(draft.source, offset + 1, name, suggest)),
  });
}

function reportRaw(draft: PlanDraft, placeholder: PlanPlaceholder, of_input: boolean): void {
  const { name } = placeholder;
  // Outside of commands nothing is escaped, so ":raw" changes nothing there.
  const matters = placeholder.field === 'command' || placeholder.field === 'setup';
  if (of_input && !matters) return;
  draft.found.add({
    severity: of_input ? 'warning' : 'error',
    rule: of_input ? 'raw_placeholder' : 'raw_not_allowed',
    subject: name,
    message: of_input
      ? `{${name}:raw} is inserted verbatim: whoever gives the value can run any command.`
      : `{${name}:raw} is not allowed: only inputs may be inserted verbatim.`,
    offset: offsetOf(draft, placeholder),
    hint: `Write {${name}} to have it escaped.`,
    // Of an input it may be what its author wants.
    edits: of_input
      ? undefined
      : allEdits(replaceText(draft.source, offsetOf(draft, placeholder), placeholder.text, `{${name}}`)),
  });
}

/** Lists a name under Inputs, which makes it a value to be given at submission. */
function insertInput(draft: PlanDraft, name: string): SourceEdit | null {
  const { source, inputs, headings } = draft;
  const eol = source.line_end;
  const line = `- **${name}**: what it is`;
  const last = inputs.at(-1);
  if (last !== undefined) {
    const start = source.offsetAt(source.positionAt(last.offset).line);
    if (source.text.slice(start, last.offset) !== '') return null;
    return { start: last.end, end: last.end, replacement: eol + line };
  }
  const own = headings.find(({ offset }) => offset === draft.inputs_offset);
  if (own !== undefined) return { start: own.end, end: own.end, replacement: eol + eol + line };
  const next = headings.find(({ depth, text }) => depth === 2 && /^(?:setup|tasks)\s*:?$/i.test(text));
  if (next === undefined) return null;
  return { start: next.offset, end: next.offset, replacement: `## Inputs${eol}${eol}${line}${eol}${eol}` };
}

function offsetOf(draft: PlanDraft, placeholder: PlanPlaceholder): number {
  return draft.source.offsetAt(placeholder.line) + placeholder.column - 1;
}
