import type { TaskDraft } from '../task-draft.ts';

const needed = {
  shell: 'command',
  generate: 'prompt',
  parse: 'prompt',
  decide: 'prompt',
  execute_plan: 'plan',
  meta: 'action',
} as const;

/** The field without which the task cannot run, where it is not there; one with an invalid value is there. */
export function findNeededField(task: TaskDraft): string | null {
  const key = needed[task.task.type];
  const invalid = task.fields.has(key) && task.fields.get(key)?.value.text !== '';
  if (task.task[key] !== null || invalid || (key === 'action' && task.meta_command_invalid)) return null;
  return key;
}
