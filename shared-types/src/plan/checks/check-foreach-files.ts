import { batchPath } from '../parse-foreach.ts';
import type { PlanDraft } from '../read-plan.ts';
import { addDependency, allEdits, type SourceEdit } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';
import { indexTasks } from './task-index.ts';

/** The list of a foreach may have been written by a task before it. */
export function checkForeachFiles(draft: PlanDraft): void {
  const tasks = indexTasks(draft);
  for (const task of draft.tasks) {
    const { foreach, id } = task.task;
    const path = foreach === null || 'items' in foreach ? null : batchPath(foreach.path);
    if (path === null || task.meant.has('depends_on')) continue;
    const before = findAncestors(task, tasks);
    // An unknown dependency might be the one that writes it.
    if (before === null || before.some((ancestor) => couldProduce(ancestor, path))) continue;
    draft.found.add({
      severity: 'warning',
      rule: 'foreach_unproduced',
      subject: id,
      message: `No task before "${id}" can have written ${path}.`,
      offset: task.fields.get('foreach')?.offset ?? task.offset,
      ...addWriter(draft, task, path, tasks),
    });
  }
}

/** The one task that names the file, where it does not wait for this one itself. */
function addWriter(
  draft: PlanDraft,
  task: TaskDraft,
  path: string,
  tasks: ReadonlyMap<string, TaskDraft>,
): { hint: string; edits?: SourceEdit[] | undefined } {
  // Each search reads every command: in a large plan whose lists nobody writes that would take seconds.
  if (draft.tasks.length > 1_000) return { hint: 'Let it depend on the task that writes the list.' };
  const writers = draft.tasks.filter((each) => each !== task && names(each, path));
  const [writer] = writers;
  const hint = 'Let it depend on the task that writes the list.';
  if (writer === undefined || writers.length > 1 || findAncestors(writer, tasks)?.includes(task) !== false)
    return { hint };
  const last = [...task.fields.values()].sort((a, b) => a.offset - b.offset).at(-1);
  const field = task.fields.get('depends_on');
  if (last === undefined) return { hint };
  const edit = addDependency(draft.source, field, task.dependencies.all, writer.task.id, last);
  return { hint: `Let it depend on ${writer.task.id}, which names the file.`, edits: allEdits(edit) };
}

function names({ task }: TaskDraft, path: string): boolean {
  return (
    task.command?.includes(`/${path}`) === true ||
    task.produces?.some((produced) => batchPath(produced) === path) === true
  );
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
