import { builtinVariables } from '../../template/lookup-value.ts';
import { fieldValue } from '../field-reader.ts';
import { type FieldValue, joinLines, sourceOffset } from '../field-value.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceText } from '../source-edits.ts';

/**
 * Text in braces that is no placeholder and was meant to be one: `{plan_path}`, `{ NAME }`. Of
 * names in small letters only those that planfleet sets are doubted: `{name}` is Python or JSON more often than a slip.
 */
export function checkNearPlaceholders(draft: PlanDraft): void {
  const names = new Set([...builtinVariables, ...draft.plan.inputs.map(({ name }) => name)]);
  if (draft.setup !== null) checkValue(draft, draft.setup, names);
  for (const { fields } of draft.tasks) {
    for (const field of fields.values()) checkValue(draft, joinLines(fieldValue(field)), names);
  }
}

const inBraces = /(?<![${])\{([ \t]*)([A-Za-z][A-Za-z0-9_]*)([ \t]*)\}/g;

function checkValue(draft: PlanDraft, value: FieldValue, names: ReadonlySet<string>): void {
  for (const match of value.text.matchAll(inBraces)) {
    const [written, before = '', inside = '', after = ''] = match;
    const name = inside.toUpperCase();
    const spaced = before !== '' || after !== '';
    const near = spaced
      ? inside === name && names.has(name)
      : inside !== name && builtinVariables.includes(name);
    if (!near) continue;
    const offset = sourceOffset(value, match.index);
    draft.found.add({
      severity: 'warning',
      rule: 'near_placeholder',
      subject: written,
      message: `${written} is no placeholder, and is passed as it is written.`,
      offset,
      suggest: name,
      hint: `Write {${name}}: capitals, without spaces.`,
      edits: allEdits(replaceText(draft.source, offset, written, `{${name}}`)),
    });
  }
}
