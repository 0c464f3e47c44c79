import type { PlanTask } from '@planfleet/shared-types';

/** Tasks in an order in which each comes after all it depends on; validation has refused cycles. */
export function sortTasks(tasks: readonly PlanTask[]): PlanTask[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const sorted = new Set<PlanTask>();
  // A stack of its own: a chain of thousands of tasks must not exhaust the call stack.
  for (const start of tasks) {
    const stack = [start];
    while (stack.length > 0) {
      const task = stack[stack.length - 1];
      if (task === undefined) break;
      const missing = dependenciesOf(task)
        .map((id) => byId.get(id))
        .find((before) => before !== undefined && !sorted.has(before));
      if (missing !== undefined && !stack.includes(missing)) stack.push(missing);
      else {
        sorted.add(task);
        stack.pop();
      }
    }
  }
  return [...sorted];
}

export function dependenciesOf(task: PlanTask): string[] {
  return [...task.depends_on, ...task.item_depends_on];
}
