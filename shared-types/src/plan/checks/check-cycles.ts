import type { PlanDraft } from '../read-plan.ts';
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

function report(draft: PlanDraft, cycle: readonly TaskDraft[]): void {
  const [first] = cycle;
  if (first === undefined) return;
  const ids = [...cycle, first].map(({ task }) => task.id);
  const shown = ids.length > 22 ? [...ids.slice(0, 20), '...', first.task.id] : ids;
  draft.found.add({
    severity: 'error',
    rule: 'cycle',
    subject: shown.join(' -> '),
    message:
      cycle.length === 1
        ? `"${first.task.id}" waits for itself.`
        : `These tasks wait for each other: ${shown.join(' -> ')}.`,
    offset: dependsOnOffset(first),
    hint: 'Remove one of these dependencies.',
  });
}
