import type { Dependency } from '../parse-dependencies.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceText, type SourceEdit } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';
import { indexTasks } from './task-index.ts';

/** Ids become parts of file names, which may have 255 bytes; items and attempts are added to them. */
const LONGEST_ID = 100;

/** Ids are well formed and unique. */
export function checkIds(draft: PlanDraft): void {
  const first = new Map<string, number>();
  const taken = new Set(draft.tasks.map(({ task }) => task.id));
  const byId = indexTasks(draft);
  const uses = indexUses(draft);
  for (const task of draft.tasks) {
    const { id } = task.task;
    const other_line = first.get(id);
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(id))
      reportInvalid(draft, task, taken, byId.get(id) === task ? (uses.get(id) ?? []) : []);
    else if (id.length > LONGEST_ID)
      reportLong(draft, task, taken, byId.get(id) === task ? (uses.get(id) ?? []) : []);
    else if (other_line !== undefined) reportDuplicate(draft, task, taken, other_line);
    if (other_line === undefined) first.set(id, draft.source.positionAt(task.offset).line);
  }
}

function reportInvalid(
  draft: PlanDraft,
  task: TaskDraft,
  taken: Set<string>,
  uses: readonly Dependency[],
): void {
  const { id } = task.task;
  const better = makeId(id);
  const free = better === '' ? null : findFree(better, taken);
  draft.found.add({
    severity: 'error',
    rule: 'invalid_id',
    subject: id,
    message: `"${id}" is no task id: ids start with a letter or "_", then letters, digits, "_", "." and "-".`,
    offset: task.offset,
    hint: free === null ? 'Give the task an id like extract_text.' : `Write ### ${free}.`,
    edits: free === null ? undefined : rename(draft, task, free, uses),
  });
}

function reportLong(
  draft: PlanDraft,
  task: TaskDraft,
  taken: Set<string>,
  uses: readonly Dependency[],
): void {
  const { id } = task.task;
  const free = findFree(id.slice(0, LONGEST_ID - 10).replace(/[._-]+$/, ''), taken);
  draft.found.add({
    severity: 'error',
    rule: 'invalid_id',
    subject: id,
    message: `"${id.slice(0, 40)}..." has ${id.length} characters; an id has at most ${LONGEST_ID}.`,
    offset: task.offset,
    hint: 'Give the task a short id; what it does can stand in parentheses behind it.',
    edits: rename(draft, task, free, uses),
  });
}

function reportDuplicate(draft: PlanDraft, task: TaskDraft, taken: Set<string>, other_line: number): void {
  const { id } = task.task;
  const free = findFree(id, taken);
  draft.found.add({
    severity: 'error',
    rule: 'duplicate_id',
    subject: id,
    message: `The task "${id}" stands in line ${other_line} already.`,
    offset: task.offset,
    other_line,
    hint: `Give one of the two another id, like ${free}; dependencies on ${id} mean the first.`,
    // What depends on it means the first, as it does while there are two.
    edits: rename(draft, task, free, []),
  });
}

/** Another id in the heading, and in every dependency on it. */
function rename(
  draft: PlanDraft,
  task: TaskDraft,
  better: string,
  uses: readonly Dependency[],
): SourceEdit[] | undefined {
  const { id } = task.task;
  return allEdits(
    replaceText(draft.source, task.id_offset, id, better),
    ...uses.map((entry) => replaceText(draft.source, entry.offset, id, better)),
  );
}

function indexUses(draft: PlanDraft): ReadonlyMap<string, readonly Dependency[]> {
  const uses = new Map<string, Dependency[]>();
  for (const entry of draft.tasks.flatMap(({ dependencies }) => dependencies.all)) {
    const known = uses.get(entry.id) ?? [];
    known.push(entry);
    uses.set(entry.id, known);
  }
  return uses;
}

function findFree(id: string, taken: Set<string>): string {
  let free = id;
  for (let number = 2; taken.has(free); number += 1) free = `${id}_${number}`;
  taken.add(free);
  return free;
}

function makeId(text: string): string {
  const id = text
    .replace(/^(?:task|step)?\s*\d+\s*[.:)-]\s*/i, '')
    .replace(/[^A-Za-z0-9_.-]+/g, '_')
    .replace(/^[._-]+|[._-]+$/g, '')
    .slice(0, LONGEST_ID - 10);
  return /^\d/.test(id) ? `task_${id}` : id;
}
