import type { PlanDraft } from '../read-plan.ts';
import { removeDependency, type SourceEdit } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';
import { dependsOnOffset, indexTasks } from './task-index.ts';

/** No task waits for itself. Each cycle is reported once, at its first task in the document. */
export function checkCycles(draft: PlanDraft): void {
  const tasks = indexTasks(draft);
  const order = new Map(draft.tasks.map((task, index) => [task, index]));
  const state = new Map<TaskDraft, 'open' | 'done'>();
  for (const start of draft.tasks) {
    if (state.has(start)) continue;
    // A stack of our own: a chain of some thousand tasks would overflow that of the engine.
    const path: { task: TaskDraft; targets: TaskDraft[] }[] = [
      { task: start, targets: targetsOf(start, tasks) },
    ];
    state.set(start, 'open');
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = top.targets.shift();
      if (target === undefined) {
        state.set(top.task, 'done');
        path.pop();
      } else if (state.get(target) === 'open') {
        const from = path.findIndex(({ task }) => task === target);
        report(
          draft,
          rotate(
            path.slice(from).map(({ task }) => task),
            order,
          ),
          order,
        );
      } else if (!state.has(target)) {
        state.set(target, 'open');
        path.push({ task: target, targets: targetsOf(target, tasks) });
      }
    }
  }
}

function targetsOf(task: TaskDraft, tasks: ReadonlyMap<string, TaskDraft>): TaskDraft[] {
  const ids = new Set(task.dependencies.all.map((entry) => entry.id));
  return [...ids].flatMap((id) => tasks.get(id) ?? []);
}

function rotate(cycle: readonly TaskDraft[], order: ReadonlyMap<TaskDraft, number>): TaskDraft[] {
  const places = cycle.map((task) => order.get(task) ?? 0);
  const first = places.indexOf(Math.min(...places));
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

/**
 * The dependency on a task that stands further down, where there is only one such: plans are written in the order in
 * which they run, so that this one is the slip. With several nobody knows.
 */
function openCycle(
  draft: PlanDraft,
  cycle: readonly TaskDraft[],
  order: ReadonlyMap<TaskDraft, number>,
): { edits: SourceEdit[]; hint: string } | null {
  const against = cycle.flatMap((task, index) => {
    const target = cycle[(index + 1) % cycle.length];
    return target !== undefined && (order.get(task) ?? 0) <= (order.get(target) ?? 0)
      ? [{ task, target }]
      : [];
  });
  const [edge] = against;
  const field = edge?.task.fields.get('depends_on');
  if (edge === undefined || against.length > 1 || field === undefined) return null;
  const { all } = edge.task.dependencies;
  const entries = all.filter((entry) => entry.id === edge.target.task.id);
  const [entry] = entries;
  const edit =
    entry === undefined || entries.length > 1 ? null : removeDependency(draft.source, field, entry, all);
  const hint = `Remove ${entry?.written ?? 'it'} from the depends_on of ${edge.task.task.id}.`;
  return edit === null ? null : { edits: [edit], hint };
}

function report(draft: PlanDraft, cycle: readonly TaskDraft[], order: ReadonlyMap<TaskDraft, number>): void {
  const [first] = cycle;
  if (first === undefined) return;
  const ids = [...cycle, first].map(({ task }) => task.id);
  const shown = ids.length > 22 ? [...ids.slice(0, 20), '...', first.task.id] : ids;
  const opened = openCycle(draft, cycle, order);
  draft.found.add({
    severity: 'error',
    rule: 'cycle',
    subject: shown.join(' -> '),
    message:
      cycle.length === 1
        ? `"${first.task.id}" waits for itself.`
        : `These tasks wait for each other: ${shown.join(' -> ')}.`,
    offset: dependsOnOffset(first),
    hint: opened?.hint ?? 'Remove one of these dependencies.',
    edits: opened?.edits,
  });
}
