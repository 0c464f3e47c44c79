import type { PlanPlaceholder } from '../plan.ts';
import type { PlanDraft } from '../read-plan.ts';
import type { TaskDraft } from '../task-draft.ts';

/** Tasks by id; of two with the same id the first. */
export function indexTasks(draft: PlanDraft): ReadonlyMap<string, TaskDraft> {
  const tasks = new Map<string, TaskDraft>();
  for (const task of draft.tasks) {
    if (!tasks.has(task.task.id)) tasks.set(task.task.id, task);
  }
  return tasks;
}

/** Where `depends_on` of a task stands. */
export function dependsOnOffset(task: TaskDraft): number {
  return task.fields.get('depends_on')?.offset ?? task.offset;
}

/** Whether a placeholder has a value only in tasks with a foreach. */
export function usesItem(placeholder: PlanPlaceholder): boolean {
  return placeholder.is_item || placeholder.name === 'ITEM_INDEX';
}

/** It needs a foreach and has none: that is reported, and what else does not fit without one is not. */
export function lacksForeach(task: TaskDraft): boolean {
  return !task.has_foreach && task.task.placeholders.some(usesItem);
}
