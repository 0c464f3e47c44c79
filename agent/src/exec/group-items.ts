import { itemName, type TemplateValues } from '@planfleet/shared-types';
import type { Attempt } from './attempt.ts';

/** One item of a task that has a group of them. */
export interface GroupItem {
  /** Its number in the list, from 1, and its id: what people know it by. */
  readonly label: string;
  readonly values: TemplateValues;
}

/** The items of the task's group, in order; null: the task has none. */
export function groupItems({ task: { group }, values: { variables } }: Attempt): GroupItem[] | null {
  if (group === undefined) return null;
  return group.items.map((item, place) => {
    const item_index = group.first + place;
    const name = itemName(item, item_index);
    return {
      label: name === String(item_index) ? `${item_index + 1}` : `${item_index + 1} (${name})`,
      values: { variables, item, item_index },
    };
  });
}
