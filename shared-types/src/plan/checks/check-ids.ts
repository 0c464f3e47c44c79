import type { PlanDraft } from '../read-plan.ts';

/** Ids become parts of file names, which may have 255 bytes; items and attempts are added to them. */
const LONGEST_ID = 100;

/** Ids are well formed and unique. */
export function checkIds(draft: PlanDraft): void {
  const first = new Map<string, number>();
  for (const { task, offset } of draft.tasks) {
    const other_line = first.get(task.id);
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(task.id)) {
      const suggest = makeId(task.id);
      draft.found.add({
        severity: 'error',
        rule: 'invalid_id',
        subject: task.id,
        message: `"${task.id}" is no task id: ids start with a letter or "_", then letters, digits, "_", "." and "-".`,
        offset,
        hint: suggest === '' ? 'Give the task an id like extract_text.' : `Write ### ${suggest}.`,
      });
    } else if (task.id.length > LONGEST_ID) {
      draft.found.add({
        severity: 'error',
        rule: 'invalid_id',
        subject: task.id,
        message: `"${task.id.slice(0, 40)}..." has ${task.id.length} characters; an id has at most ${LONGEST_ID}.`,
        offset,
        hint: 'Give the task a short id; what it does can stand in parentheses behind it.',
      });
    } else if (other_line !== undefined) {
      draft.found.add({
        severity: 'error',
        rule: 'duplicate_id',
        subject: task.id,
        message: `The task "${task.id}" stands in line ${other_line} already.`,
        offset,
        other_line,
        hint: 'Give one of the two another id.',
      });
    }
    if (other_line === undefined) first.set(task.id, draft.source.positionAt(offset).line);
  }
}

function makeId(text: string): string {
  const id = text
    .replace(/^(?:task|step)?\s*\d+\s*[.:)-]\s*/i, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '_')
    .replace(/^[._-]+|[._-]+$/g, '');
  return /^\d/.test(id) ? `task_${id}` : id;
}
