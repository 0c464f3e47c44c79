import { batchPath } from '../parse-foreach.ts';
import type { PlanDraft } from '../read-plan.ts';
import type { TaskDraft } from '../task-draft.ts';
import { indexTasks } from './task-index.ts';

/** The list of a foreach may have been written by a task before it. */
export function checkForeachFiles(draft: PlanDraft): void {
  const tasks = indexTasks(draft);
  for (const task of draft.tasks) {
    const { foreach, id } = task.task;
    const path = foreach === null || 'items' in foreach ? null : batchPath(foreach.path);
    if (path === null) continue;
    const before = findAncestors(task, tasks);
    // An unknown dependency might be the one that writes it.
    if (before === null || before.some((ancestor) => couldProduce(ancestor, path))) continue;
    draft.found.add({
      severity: 'warning',
      rule: 'foreach_unproduced',
      subject: id,
      message: `No task before "${id}" can have written ${path}.`,
      offset: task.fields.get('foreach')?.offset ?? task.offset,
      hint: 'Let it depend on the task that writes the list.',
    });
  }
}

function findAncestors(task: TaskDraft, tasks: ReadonlyMap<string, TaskDraft>): TaskDraft[] | null {
  const seen = new Set<TaskDraft>();
  const open = [task];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { id } of next.dependencies.all) {
      const target = tasks.get(id);
      if (target === undefined) return null;
      if (target === task || seen.has(target)) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return [...seen];
}

function couldProduce({ task }: TaskDraft, path: string): boolean {
  if (task.type === 'meta') return false;
  if (task.type === 'execute_plan') return true;
  if (task.type !== 'shell') return task.output === null || matchesPath(task.output, path);
  if (task.produces === null || task.command?.includes(path) === true) return true;
  return task.produces.some((produced) => matchesPath(produced, path));
}

/** Whether a path or glob with placeholders can name the file. */
function matchesPath(pattern: string, path: string): boolean {
  const relative = batchPath(pattern);
  if (relative === null || relative === '') return true;
  const source = relative
    .replace(/\{[^{}]*\}|\[[^\]]*\]|[*?]+/g, '\0')
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\0+/g, '[sS]*');
  return (
    new RegExp(`^${source}(?:/[sS]*)?$`).test(path) || path.startsWith(`${relative.replace(/\/$/, '')}/`)
  );
}
