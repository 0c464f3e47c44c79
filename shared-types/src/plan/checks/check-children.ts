import { findPlaceholders, type Placeholder } from '../../template/find-placeholders.ts';
import { sliceValue } from '../field-value.ts';
import { findNearestName } from '../find-nearest-name.ts';
import { parseChildPlan } from '../parse-child-plan.ts';
import type { ParsedPlan, PlanInput } from '../plan.ts';
import type { PlanDraft } from '../read-plan.ts';
import { allEdits, replaceValue, type SourceEdit } from '../source-edits.ts';
import type { TaskDraft } from '../task-draft.ts';

/** The plans that a task of type execute_plan may name. */
export interface KnownPlans {
  /** Each plan.md by its folder below the plan's own, as `a/b`; null: not known, as of a plan.md alone. */
  readonly folders: ReadonlyMap<string, string> | null;
  /** plan.md of the registered plans that were looked up, by name; null: there is none of that name. */
  readonly registered: ReadonlyMap<string, string | null>;
}

/** A plan that was read for its parent: what is wrong with it, in one sentence, and what it asks for. */
export interface CheckedChild {
  readonly problem: string | null;
  readonly plan: ParsedPlan;
}

/** Reads the plan.md of a child; the folder is null for a registered plan. */
export type ReadChild = (markdown: string, folder: string | null) => CheckedChild;

/** Every execute_plan names a plan that there is, and gives it what it asks for. */
export function checkChildren(
  draft: PlanDraft,
  known: KnownPlans | undefined,
  travelling: readonly string[],
  readChild: ReadChild,
): void {
  for (const task of draft.tasks) {
    if (task.task.type !== 'execute_plan' || task.task.plan === null) continue;
    checkConfigValues(draft, task, travelling);
    const child = findChild(draft, task, known, readChild);
    if (child === null) continue;
    if (child.problem === null) {
      if (isConfig(task)) checkConfigNames(draft, task, child.plan.inputs);
    } else {
      report(draft, task, 'plan', {
        rule: 'invalid_child_plan',
        message: `The plan ${task.task.plan} that "${task.task.id}" executes has an error: ${child.problem}`,
        hint: `Correct it; planfleet validate says more about that folder.`,
      });
    }
  }
}

/** Null: nothing more can be said of it now. */
function findChild(
  draft: PlanDraft,
  task: TaskDraft,
  known: KnownPlans | undefined,
  readChild: ReadChild,
): CheckedChild | null {
  const plan = task.task.plan ?? '';
  // Known when the task runs; a folder of the bundle, since a registered plan is looked up by its name.
  if (findPlaceholders(plan).some(({ name }) => name !== 'PLAN_PATH')) return null;
  const named = parseChildPlan(plan);
  if (named === null) {
    report(draft, task, 'plan', {
      rule: 'unknown_child_plan',
      message: `"${plan}" is no folder below the plan's own.`,
      hint: 'Write {PLAN_PATH}/folder, or the name of a registered plan.',
    });
    return null;
  }
  const { folder, registered } = named;
  if (known === undefined) return null;
  const inFolder = known.folders?.get(folder);
  if (inFolder !== undefined) return readChild(inFolder, folder);
  const byName = registered === null ? undefined : known.registered.get(registered);
  if (typeof byName === 'string') return readChild(byName, null);
  const isUnknown = known.folders !== null && (registered === null || byName === null);
  if (isUnknown) reportUnknown(draft, task, known, folder, registered);
  return null;
}

function reportUnknown(
  draft: PlanDraft,
  task: TaskDraft,
  known: KnownPlans,
  folder: string,
  registered: string | null,
): void {
  const folders = [...(known.folders?.keys() ?? [])];
  const suggest = findNearestName(folder, folders);
  const or = registered === null ? '' : ', and no plan is registered under that name';
  report(draft, task, 'plan', {
    rule: 'unknown_child_plan',
    message: `"${task.task.id}" executes ${task.task.plan}, but the plan folder holds no ${folder}/plan.md${or}.`,
    suggest,
    hint:
      suggest === undefined
        ? 'Put that plan into a folder of this one; a folder is submitted with all that is in it.'
        : `Did you mean {PLAN_PATH}/${suggest}?`,
    edits: suggest === undefined ? undefined : writeInstead(draft, task, 'plan', `{PLAN_PATH}/${suggest}`),
  });
}

/** Anything else was told by itself. */
function isConfig(task: TaskDraft): boolean {
  return task.task.config === null || configOf(task) !== null;
}

function configOf(task: TaskDraft): Record<string, unknown> | null {
  const { config } = task.task;
  return typeof config === 'object' && config !== null && !Array.isArray(config)
    ? (config as Record<string, unknown>)
    : null;
}

function checkConfigNames(draft: PlanDraft, task: TaskDraft, inputs: readonly PlanInput[]): void {
  const config = configOf(task) ?? {};
  const names = inputs.map((input) => input.name);
  for (const name of Object.keys(config)) {
    if (names.includes(name)) continue;
    const suggest = findNearestName(name, names);
    report(draft, task, 'config', {
      rule: 'unknown_child_input',
      message: `The plan ${task.task.plan} has no input ${name}.`,
      suggest,
      hint:
        suggest === undefined
          ? `Its inputs are: ${names.join(', ') || '(none)'}.`
          : `Did you mean ${suggest}?`,
      edits: suggest === undefined ? undefined : renameKey(draft, task, name, suggest),
    });
  }
  for (const { name, required, used, description } of inputs) {
    if (!required || !used || (Object.hasOwn(config, name) && config[name] !== null)) continue;
    report(draft, task, 'config', {
      rule: 'missing_child_input',
      message: `The plan ${task.task.plan} needs a value for ${name}: ${description || 'it has no default'}.`,
      hint: `Add "${name}" to the config of "${task.task.id}".`,
    });
  }
}

/** What a value may hold: paths and what travels stand for themselves, on a machine that is not known yet. */
function checkConfigValues(draft: PlanDraft, task: TaskDraft, travelling: readonly string[]): void {
  const { config } = task.task;
  if (config === null) return;
  const record = configOf(task);
  if (record === null) {
    report(draft, task, 'config', {
      rule: 'invalid_child_config',
      message: `The config of "${task.task.id}" is no JSON object.`,
      hint: 'Write {"INPUT": "value"}, with the names of the inputs of that plan.',
    });
    return;
  }
  const paths = new Set(['PLAN_PATH', 'BATCH_PATH', ...travelling]);
  for (const [name, value] of Object.entries(record)) {
    const placed = (text: string) => findPlaceholders(text).filter((each) => paths.has(each.name));
    const isText = typeof value === 'string';
    const wrong = isText
      ? placed(value).find((each) => travelling.includes(each.name) && each.text !== value)
      : placed(JSON.stringify(value))[0];
    if (wrong !== undefined) reportPlaced(draft, task, name, wrong, isText);
  }
}

function reportPlaced(
  draft: PlanDraft,
  task: TaskDraft,
  name: string,
  { text }: Placeholder,
  isText: boolean,
): void {
  report(draft, task, 'config', {
    rule: 'invalid_child_config',
    message: isText
      ? `${name} holds ${text} within other text, but what is sent along is handed on whole.`
      : `${name} holds ${text} inside a list or an object, but a path is known only on the machine.`,
    hint: isText
      ? `Write "${name}": "${text}", and the rest in the plan that is executed.`
      : `Give ${text} as an input of its own.`,
  });
}

function writeInstead(
  draft: PlanDraft,
  task: TaskDraft,
  field: 'plan' | 'config',
  replacement: string,
): SourceEdit[] | undefined {
  const value = task.fields.get(field)?.value;
  return value === undefined ? undefined : allEdits(replaceValue(draft.found.source, value, replacement));
}

/** Where the name stands once in the text of the config, so that there is no doubt which one it is. */
function renameKey(
  draft: PlanDraft,
  task: TaskDraft,
  name: string,
  replacement: string,
): SourceEdit[] | undefined {
  const value = task.fields.get('config')?.value;
  const written = JSON.stringify(name);
  const at = value?.text.indexOf(written) ?? -1;
  if (value === undefined || at === -1 || value.text.indexOf(written, at + 1) !== -1) return undefined;
  const key = sliceValue(value, at, at + written.length);
  return allEdits(replaceValue(draft.found.source, key, JSON.stringify(replacement)));
}

interface Report {
  readonly rule:
    | 'unknown_child_plan'
    | 'invalid_child_plan'
    | 'unknown_child_input'
    | 'missing_child_input'
    | 'invalid_child_config';
  readonly message: string;
  readonly hint: string;
  readonly suggest?: string | undefined;
  readonly edits?: readonly SourceEdit[] | undefined;
}

function report(draft: PlanDraft, task: TaskDraft, field: 'plan' | 'config', finding: Report): void {
  draft.found.add({
    severity: 'error',
    subject: task.task.id,
    offset: task.fields.get(field)?.offset ?? task.offset,
    ...finding,
  });
}
