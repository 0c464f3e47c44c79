import { findPlaceholders, type Placeholder } from '../../template/find-placeholders.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceText } from '../source-edits.ts';

/** Where the list is in the plan itself, every item has the fields that its task asks for. */
export function checkItemFields(draft: PlanDraft): void {
  for (const { task } of draft.tasks) {
    if (task.foreach === null || !('items' in task.foreach)) continue;
    const { items } = task.foreach;
    for (const used of task.placeholders) {
      const [placeholder] = used.is_item ? findPlaceholders(used.text) : [];
      if (placeholder === undefined || placeholder.path.length === 0) continue;
      const index = items.findIndex((item) => !hasField(item, placeholder));
      if (index === -1) continue;
      const offset = draft.source.offsetAt(used.line) + used.column - 1;
      const scalars = items.every((item) => typeof item !== 'object' || item === null);
      draft.found.add({
        severity: 'error',
        rule: 'missing_item_field',
        subject: used.name,
        message: `Item ${index} of the list has no field "${placeholder.path.join('.')}".`,
        offset,
        hint: scalars
          ? 'Write {ITEM}: the items are plain values.'
          : `Fields there are: ${listFields(items)}.`,
        edits: scalars ? allEdits(replaceText(draft.source, offset, used.text, '{ITEM}')) : undefined,
      });
    }
  }
}

function hasField(item: unknown, placeholder: Placeholder): boolean {
  let value = item;
  for (const field of placeholder.path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return false;
    value = (value as Record<string, unknown>)[field];
  }
  return true;
}

function listFields(items: readonly unknown[]): string {
  const fields = items.flatMap((item) =>
    typeof item === 'object' && item !== null ? Object.keys(item) : [],
  );
  return [...new Set(fields)].slice(0, 20).join(', ') || '(none)';
}
