import type { PlanDraft } from '../read-plan.ts';
import { allEdits, insertFieldBefore, removeLines, replaceValue } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';
import { taskFields } from '../task-fields.ts';
import { findNeededField } from './needed-field.ts';
import { lacksForeach } from './task-index.ts';

/** Each task has the fields of its type, and none that do not suit it. */
export function checkFields(draft: PlanDraft): void {
  for (const task of draft.tasks) {
    const other = checkMissing(draft, task);
    checkClass(draft, task);
    for (const [key, field] of task.fields) {
      const { suits, purpose } = taskFields[key] ?? {};
      if (suits === undefined || suits(task.task) || other) continue;
      // That the foreach is missing or wrong was told; groups of child batches there are none.
      const isTold = task.has_foreach || lacksForeach(task);
      if (needsForeach.has(key) && isTold && task.task.type !== 'execute_plan') continue;
      draft.found.add({
        severity: 'warning',
        rule: 'wrong_field',
        subject: key,
        message: `${key} is for ${purpose ?? 'other tasks'}; "${task.task.id}" is ${describe(task)}.`,
        offset: field.offset,
        hint: `Remove ${key}, or change the task.`,
        // On a shell task the class may be what is wrong, and elsewhere the type.
        edits: needsForeach.has(key)
          ? allEdits(removeLines(draft.source, field.offset, field.end))
          : undefined,
      });
    }
  }
}

const needsForeach = new Set(['batch_size', 'max_failures']);

function describe({ task }: TaskDraft): string {
  return `of type ${task.type} and class ${task.task_class}${task.foreach === null ? ', without a foreach' : ''}`;
}

/** True when the type is what is wrong: then its fields are right. */
function checkMissing(draft: PlanDraft, task: TaskDraft): boolean {
  const key = findNeededField(task);
  if (key === null || task.meant.has(key)) return false;
  const type = typeOfFields(task);
  const stated = task.fields.get('type');
  const { id } = task.task;
  draft.found.add({
    severity: 'error',
    rule: 'missing_field',
    subject: `${id} ${key}`,
    message: `"${id}" is of type ${task.task.type} and has no ${key}.`,
    offset: task.offset,
    hint: type === null ? `Add "- **${key}**: ...".` : `Write type: ${type}, as its fields are those of it.`,
    edits:
      type === null || stated === undefined
        ? undefined
        : allEdits(replaceValue(draft.source, stated.value, type)),
  });
  return type !== null;
}

/** The type that the fields say, where another one is stated; null where they do not say one. */
function typeOfFields({ task, fields }: TaskDraft): string | null {
  if (!fields.has('type')) return null;
  const types = [
    fields.has('command') && task.type !== 'meta' ? 'shell' : null,
    fields.has('prompt') ? (fields.has('schema') ? 'parse' : 'generate') : null,
    fields.has('plan') ? 'execute_plan' : null,
    fields.has('action') ? 'meta' : null,
  ].filter((type) => type !== null && type !== task.type);
  return types.length === 1 ? (types[0] ?? null) : null;
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
    edits:
      first === undefined
        ? undefined
        : [insertFieldBefore(draft.source, first, `**task_class**: ${task_class}`)],
  });
}
