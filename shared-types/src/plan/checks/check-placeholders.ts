import { builtinVariables } from '../../template/lookup-value.ts';
import { findNearestName } from '../find-nearest-name.ts';
import type { PlanPlaceholder } from '../plan.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceText, type SourceEdit } from '../source-edits.ts';

/** Every placeholder has a value, and `:raw` is for inputs only. */
export function checkPlaceholders(draft: PlanDraft): void {
  const inputs = new Set(draft.plan.inputs.map((input) => input.name));
  for (const placeholder of draft.plan.setup_placeholders) checkPlaceholder(draft, placeholder, inputs, null);
  for (const { task, has_foreach } of draft.tasks) {
    for (const placeholder of task.placeholders) {
      checkPlaceholder(draft, placeholder, inputs, { id: task.id, has_foreach });
    }
  }
}

function checkPlaceholder(
  draft: PlanDraft,
  placeholder: PlanPlaceholder,
  inputs: ReadonlySet<string>,
  task: { id: string; has_foreach: boolean } | null,
): void {
  const { name } = placeholder;
  const ofItem = placeholder.is_item || name === 'ITEM_INDEX';
  if (draft.rejected_inputs.some((input) => input.better === name)) return;
  if (ofItem ? task?.has_foreach !== true : !inputs.has(name) && !builtinVariables.includes(name)) {
    reportUnresolved(draft, placeholder, inputs, task);
  } else if (placeholder.raw) {
    reportRaw(draft, placeholder, inputs.has(name));
  }
}

function reportUnresolved(
  draft: PlanDraft,
  placeholder: PlanPlaceholder,
  inputs: ReadonlySet<string>,
  task: { id: string } | null,
): void {
  const { name } = placeholder;
  const ofItem = placeholder.is_item || name === 'ITEM_INDEX';
  const known = [...inputs, ...builtinVariables];
  const suggest = ofItem ? undefined : findNearestName(name, known);
  const offset = offsetOf(draft, placeholder) + 1;
  draft.found.add({
    severity: 'error',
    rule: 'unresolved_placeholder',
    subject: name,
    message: ofItem
      ? `{${name}} needs an item, and ${task === null ? 'Setup' : `"${task.id}" has no foreach and`} has none.`
      : `{${name}} is neither an input nor set by planfleet.`,
    offset: offset - 1,
    suggest,
    hint: ofItem
      ? task === null
        ? 'Setup runs once for each machine; use it in a task with a foreach.'
        : 'Give the task a foreach.'
      : suggest === undefined
        ? `List ${name} under Inputs, or use one of: ${known.slice(0, 30).join(', ')}.`
        : `Did you mean {${suggest}}?`,
    edits: ofItem
      ? undefined
      : suggest === undefined
        ? allEdits(insertInput(draft, name))
        : allEdits(replaceText(draft.source, offset, name, suggest)),
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
