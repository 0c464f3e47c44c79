import { batchPath, type PlanTask } from '@planfleet/shared-types';
import { dependenciesOf } from './sort-tasks.ts';

/**
 * The task that writes the list at `path`: the one before `reader` whose `produces` names it, else the only one
 * whose command mentions it. Null where that is not certain; a wrong guess would look for the file too early.
 */
export function findListProducer(tasks: readonly PlanTask[], reader: PlanTask, path: string): string | null {
  const file = batchPath(path);
  if (file === null) return null;
  const before = tasksBefore(tasks, reader).filter((task) => task.type === 'shell' && task.foreach === null);
  const declared = before.filter(
    (task) => task.produces?.some((produced) => batchPath(produced) === file) ?? false,
  );
  if (declared.length > 0) return declared.length === 1 ? (declared[0]?.id ?? null) : null;
  const mentioned = before.filter((task) => mentions(task.command ?? '', file));
  return mentioned.length === 1 ? (mentioned[0]?.id ?? null) : null;
}

function tasksBefore(tasks: readonly PlanTask[], reader: PlanTask): PlanTask[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const found = new Set<PlanTask>();
  const queue = dependenciesOf(reader);
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    const task = byId.get(id);
    if (task === undefined || found.has(task)) continue;
    found.add(task);
    queue.push(...dependenciesOf(task));
  }
  return [...found];
}

/** `{BATCH_PATH}/manifest.json` or its older spelling, as a whole path. */
function mentions(command: string, file: string): boolean {
  return ['{BATCH_PATH}/', '{PLAN_PATH}/history/{BATCH_ID}/'].some((root) => {
    for (let at = command.indexOf(root + file); at !== -1; at = command.indexOf(root + file, at + 1)) {
      const next = command[at + root.length + file.length];
      if (next === undefined || !/[\w.{/-]/.test(next)) return true;
    }
    return false;
  });
}
