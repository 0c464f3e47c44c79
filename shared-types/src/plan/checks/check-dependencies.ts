import { findNearestName } from '../find-nearest-name.ts';
import type { Dependency } from '../parse-dependencies.ts';
import { listIdentity } from '../parse-foreach.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, placeInLine, replaceText } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';
import { dependsOnOffset, indexTasks, lacksForeach } from './task-index.ts';

/** Every dependency names a task, and a per-item dependency one that runs over the same list. */
export function checkDependencies(draft: PlanDraft): void {
  const tasks = indexTasks(draft);
  const prose = new Set(draft.prose.map(({ id }) => id));
  const unknown = new Map<string, Use[]>();
  for (const task of draft.tasks) {
    const seen = new Set<string>();
    for (const entry of task.dependencies.all) {
      const target = tasks.get(entry.id);
      // A heading without fields is reported where it stands.
      if (target === undefined && !prose.has(entry.id)) {
        const uses = unknown.get(entry.id) ?? [];
        uses.push({ task, entry });
        unknown.set(entry.id, uses);
      } else if (entry.per_item && target !== undefined && target !== task && !seen.has(entry.written)) {
        checkItemDependency(draft, task, target, entry);
      }
      seen.add(entry.written);
    }
  }
  // Each comparison takes microseconds: of thousands of names with thousands, nothing is suggested.
  const known = unknown.size * tasks.size <= MOST_COMPARED ? [...tasks.keys()] : [];
  for (const uses of unknown.values()) reportUnknown(draft, uses, tasks, known);
}

const MOST_COMPARED = 200_000;

interface Use {
  readonly task: TaskDraft;
  readonly entry: Dependency;
}

/** A task that is missing or misspelled is one fault, however many wait for it. */
function reportUnknown(
  draft: PlanDraft,
  uses: readonly Use[],
  tasks: ReadonlyMap<string, TaskDraft>,
  known: readonly string[],
): void {
  const [first] = uses;
  if (first === undefined) return;
  const { id } = first.entry;
  const others = uses.flatMap(({ task }) => (task === first.task ? [] : `"${task.task.id}"`));
  const also =
    others.length === 0
      ? ''
      : ` So do ${others.slice(0, 10).join(', ')}${others.length > 10 ? ' and others' : ''}.`;
  const several = splitNames(id, tasks);
  const suggest = several === null ? findNearestName(id, known) : undefined;
  const better = several ?? suggest;
  draft.found.add({
    severity: 'error',
    rule: 'unknown_dependency',
    subject: id,
    message: `"${first.task.task.id}" depends on "${id}", and the plan has no such task.${also}`,
    offset: placeInLine(draft.source, dependsOnOffset(first.task), first.entry.offset),
    suggest,
    hint:
      several !== null
        ? `Write depends_on: ${several}.`
        : suggest !== undefined
          ? `Did you mean ${suggest}?`
          : `The tasks are: ${[...tasks.keys()].slice(0, 30).join(', ')}.`,
    edits:
      better === undefined
        ? undefined
        : allEdits(...uses.map(({ entry }) => replaceText(draft.source, entry.offset, id, better))),
  });
}

/** `a and b`, `a; b`, `a b`, `after a`, `task a`: names of tasks, but not between commas. */
function splitNames(text: string, tasks: ReadonlyMap<string, TaskDraft>): string | null {
  const words = text.replace(/^(?:after|on|tasks?|the)\b[\s:]*/i, '').split(/\s+(?:and|&|\+)\s+|[\s;+&|]+/i);
  const names = words.map((word) => word.replace(/^[#"'`*]+|["'`*.]+$/g, '')).filter((word) => word !== '');
  return names.length > 0 && names.every((name) => tasks.has(name)) ? names.join(', ') : null;
}

function checkItemDependency(draft: PlanDraft, task: TaskDraft, target: TaskDraft, entry: Dependency): void {
  const own = task.task.foreach;
  const other = target.task.foreach;
  // A foreach that cannot be read was reported where it stands.
  if (lacksForeach(task) || lacksForeach(target)) return;
  if ((own === null && task.has_foreach) || (other === null && target.has_foreach)) return;
  if (own !== null && other !== null && listIdentity(own) === listIdentity(other)) return;
  const why =
    own === null
      ? `"${task.task.id}" has no foreach, so it has no item`
      : other === null
        ? `"${target.task.id}" has no foreach, so it has no items`
        : 'they run over different lists';
  draft.found.add({
    severity: 'error',
    rule: 'item_dependency_across_lists',
    subject: `${task.task.id} -> ${target.task.id}`,
    message: `"${task.task.id}" waits for its item of "${target.task.id}", but ${why}.`,
    offset: placeInLine(draft.source, dependsOnOffset(task), entry.offset),
    hint: `Write ${target.task.id} to wait for all of it, or give both tasks the same foreach.`,
    edits: allEdits(replaceText(draft.source, entry.offset, entry.written, target.task.id)),
  });
}
