import { findNearestName } from '../find-nearest-name.ts';
import type { Dependency } from '../parse-dependencies.ts';
import { listIdentity } from '../parse-foreach.ts';
import type { PlanDraft } from '../read-plan.ts';
import type { TaskDraft } from '../task-draft.ts';
import { dependsOnOffset, indexTasks } from './task-index.ts';

/** Every dependency names a task, and a per-item dependency one that runs over the same list. */
export function checkDependencies(draft: PlanDraft): void {
  const tasks = indexTasks(draft);
  for (const task of draft.tasks) {
    const seen = new Set<string>();
    for (const entry of task.dependencies.all) {
      if (seen.has(entry.written)) continue;
      seen.add(entry.written);
      const target = tasks.get(entry.id);
      if (target === undefined) reportUnknown(draft, task, entry, tasks);
      else if (entry.per_item && target !== task) checkItemDependency(draft, task, target);
    }
  }
}

function reportUnknown(
  draft: PlanDraft,
  task: TaskDraft,
  entry: Dependency,
  tasks: ReadonlyMap<string, TaskDraft>,
): void {
  const suggest = findNearestName(entry.id, tasks.keys());
  draft.found.add({
    severity: 'error',
    rule: 'unknown_dependency',
    subject: entry.id,
    message: `"${task.task.id}" depends on "${entry.id}", and the plan has no such task.`,
    offset: dependsOnOffset(task),
    suggest,
    ...(suggest === undefined
      ? { hint: `The tasks are: ${[...tasks.keys()].slice(0, 30).join(', ')}.` }
      : {
          hint: `Did you mean ${suggest}?`,
          fix: { start: entry.offset, end: entry.offset + entry.id.length, replacement: suggest },
        }),
  });
}

function checkItemDependency(draft: PlanDraft, task: TaskDraft, target: TaskDraft): void {
  const own = task.task.foreach;
  const other = target.task.foreach;
  // A foreach that cannot be read was reported where it stands.
  if ((own === null && task.has_foreach) || (other === null && target.has_foreach)) return;
  if (own !== null && other !== null && listIdentity(own) === listIdentity(other)) return;
  const why =
    own === null
      ? `"${task.task.id}" has no foreach, so it has no item`
      : other === null
        ? `"${target.task.id}" has no foreach, so it has no items`
        : 'they run over different lists';
  draft.found.add({
    severity: 'error',
    rule: 'item_dependency_across_lists',
    subject: `${task.task.id} -> ${target.task.id}`,
    message: `"${task.task.id}" waits for its item of "${target.task.id}", but ${why}.`,
    offset: dependsOnOffset(task),
    hint: `Write ${target.task.id} to wait for all of it, or give both tasks the same foreach.`,
  });
}
