import { fieldValue } from '../field-reader.ts';
import { joinLines, sourceOffset } from '../field-value.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceText } from '../source-edits.ts';

/** Names that no placeholder can have are put in capitals, in the list and wherever a task or Setup has them in braces. */
export function checkInputNames(draft: PlanDraft): void {
  if (draft.rejected_inputs.length === 0) return;
  const braces = indexBraces(draft);
  const used = new Set(draft.tasks.flatMap(({ task }) => task.placeholders.map((each) => each.name)));
  const taken = new Set(draft.inputs.map((input) => input.name));
  for (const { name, better, offset, name_offset } of draft.rejected_inputs) {
    const free = better !== null && !taken.has(better);
    if (better !== null) taken.add(better);
    const uses = braces.get(name) ?? [];
    draft.found.add({
      // Used in capitals it has no value: this is the one fault, and the placeholder is not reported.
      severity: free && used.has(better) ? 'error' : 'warning',
      rule: 'invalid_input_name',
      subject: name,
      message: `"${name}" cannot be used as a placeholder: names of inputs are capital letters, digits and "_".`,
      offset,
      suggest: better ?? undefined,
      hint:
        better === null
          ? 'Give it a name like INPUT_FOLDER.'
          : `Write ${better}, and {${better}} in the tasks.`,
      edits: free
        ? allEdits(
            replaceText(draft.source, name_offset, name, better),
            ...uses.map((start) => replaceText(draft.source, start, name, better)),
          )
        : undefined,
    });
  }
}

/** Offsets of the names in braces that bash would not read as its own, by name. */
function indexBraces(draft: PlanDraft): ReadonlyMap<string, readonly number[]> {
  const values = draft.tasks.flatMap(({ fields }) =>
    [...fields.values()].map((field) => joinLines(fieldValue(field))),
  );
  const braces = new Map<string, number[]>();
  for (const value of draft.setup === null ? values : [draft.setup, ...values]) {
    for (const match of value.text.matchAll(/(?<!\$)\{([A-Za-z_][\w-]*)\}/g)) {
      const offsets = braces.get(match[1] ?? '') ?? [];
      offsets.push(sourceOffset(value, match.index + 1));
      braces.set(match[1] ?? '', offsets);
    }
  }
  return braces;
}
