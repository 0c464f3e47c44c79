import type { PlanDraft } from '../read-plan.ts';
import type { TaskDraft } from '../task-draft.ts';
import { taskFields } from '../task-fields.ts';

/** Each task has the fields of its type, and none that do not suit it. */
export function checkFields(draft: PlanDraft): void {
  for (const task of draft.tasks) {
    checkMissing(draft, task);
    checkClass(draft, task);
    for (const [key, field] of task.fields) {
      const { suits, purpose } = taskFields[key] ?? {};
      if (suits === undefined || suits(task.task)) continue;
      draft.found.add({
        severity: 'warning',
        rule: 'wrong_field',
        subject: key,
        message: `${key} is for ${purpose ?? 'other tasks'}; "${task.task.id}" is ${describe(task)}.`,
        offset: field.offset,
        hint: `Remove ${key}, or change the task.`,
      });
    }
  }
}

function describe({ task }: TaskDraft): string {
  return `of type ${task.type} and class ${task.task_class}${task.foreach === null ? ', without a foreach' : ''}`;
}

const needed = {
  shell: 'command',
  generate: 'prompt',
  parse: 'prompt',
  decide: 'prompt',
  execute_plan: 'plan',
  meta: 'action',
} as const;

function checkMissing(draft: PlanDraft, task: TaskDraft): void {
  const key = needed[task.task.type];
  const invalid = task.fields.has(key) && task.fields.get(key)?.value.text !== '';
  if (task.task[key] !== null || invalid || (key === 'action' && task.meta_command_invalid)) return;
  draft.found.add({
    severity: 'error',
    rule: 'missing_field',
    subject: `${task.task.id} ${key}`,
    message: `"${task.task.id}" is of type ${task.task.type} and has no ${key}.`,
    offset: task.offset,
    hint: `Add "- **${key}**: ...".`,
  });
}

function checkClass(draft: PlanDraft, task: TaskDraft): void {
  const { id, task_class } = task.task;
  // Without a command there is nothing to guess from, and that was reported.
  if (!task.task_class_missing || task.task.command === null) return;
  const first = [...task.fields.values()].sort((a, b) => a.offset - b.offset)[0];
  draft.found.add({
    severity: 'warning',
    rule: 'missing_task_class',
    subject: `${id} -> ${task_class}`,
    message: `"${id}" does not state its task_class; from its command it is taken as ${task_class}.`,
    offset: task.offset,
    hint: `Add "- **task_class**: ${task_class}".`,
    ...(first === undefined
      ? {}
      : { fix: insertField(draft, first.offset, `**task_class**: ${task_class}`) }),
  });
}

/** A bullet before the first one, written like it. */
function insertField(
  draft: PlanDraft,
  offset: number,
  text: string,
): { start: number; end: number; replacement: string } {
  const { source } = draft;
  const line = source.offsetAt(source.positionAt(offset).line);
  const indent = source.text.slice(line, offset);
  const bullet = /^(?:[-*+]|\d+[.)])[ \t]+/.exec(source.text.slice(offset, offset + 20))?.[0] ?? '- ';
  return { start: offset, end: offset, replacement: bullet + text + source.line_end + indent };
}
