import {
  type ParsedPlan,
  parseChildPlan,
  renderText,
  TemplateError,
  validatePlan,
} from '@planfleet/shared-types';
import { bindChildInputs, type ParentContext } from '../plan/bind-child-inputs.ts';
import { buildBlueprint } from '../plan/build-blueprint.ts';
import type { Database } from '../store/database.ts';
import { findReadyChildTasks, type ReadyChildTask } from '../store/queries/find-children.ts';
import { readChildPlan } from '../store/queries/read-child-plan.ts';
import { readPlanVersion } from '../store/queries/read-plan-version.ts';
import { refuseChild, resumeChild, startChild } from '../store/transitions/hold-children.ts';
import { retryBatch } from '../store/transitions/retry-batch.ts';

/** Batches below batches: a plan that executes itself ends here. */
const DEEPEST_CHILD = 8;
/** Tasks looked at in one go: each is a batch of statements of its own, 2 to 5 ms. */
const TASKS = 20;

/** A plan to start: which version, which folder of it, and what it says. */
interface ChildPlan {
  readonly plan: ParsedPlan;
  readonly plan_name: string;
  readonly plan_digest: string;
  readonly bundle: string | null;
  readonly plan_folder: string;
}

type Found =
  | { readonly ok: true; readonly child: ChildPlan }
  | { readonly ok: false; readonly message: string };

interface StartDeps {
  readonly db: Database;
  readonly clock: { now(): number };
}

/**
 * Starts the child batches of tasks that are ready, one for each call of `budget`; returns how many tasks it saw to.
 * A task for which none can be started fails, and says why.
 */
export async function startChildren(deps: StartDeps, budget: () => boolean): Promise<number> {
  const ready = await findReadyChildTasks(deps.db, TASKS);
  // Two hundred items of one stage execute one plan: it is read once.
  const plans = new Map<string, Found>();
  const failures: unknown[] = [];
  let seen = 0;
  for (const task of ready) {
    if (!budget()) break;
    // One that fails must not keep the others waiting, tick after tick.
    await startOne(deps, task, plans).then(
      () => (seen += 1),
      (error: unknown) => failures.push(error),
    );
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} child batches did not start.`);
  return seen;
}

async function startOne(
  { db, clock }: StartDeps,
  task: ReadyChildTask,
  plans: Map<string, Found>,
): Promise<void> {
  const { stage, ordinal, attempt, earlier } = task;
  const now = clock.now();
  const held = { stage, ordinal, attempt, now };
  // What succeeded in the child of the try before stays. One that was cancelled is over, and another one begins.
  if (earlier !== null && (await isResumable(db, task, earlier, now))) {
    await resumeChild(db, { ...held, child_id: earlier.id });
    return;
  }
  const made = await makeChild(db, task, plans);
  if (made.ok)
    await startChild(db, { ...made.child, parent: { ...made.parent, stage, ordinal, attempt }, now });
  else await refuseChild(db, { ...held, message: made.message });
}

/** A failed child is re-opened first; when this is all that was done, the next look finds it running. */
async function isResumable(
  db: Database,
  task: ReadyChildTask,
  { id, state }: NonNullable<ReadyChildTask['earlier']>,
  now: number,
): Promise<boolean> {
  if (state !== 'failed') return state !== 'cancelled';
  const by = `Task ${task.batch_id}:${task.stage_key}:${task.ordinal}`;
  const result = await retryBatch(db, { batch_id: id, by, now });
  // Another brain may have re-opened it a moment ago.
  return result.ok || result.state === 'active' || result.state === 'paused' || result.state === 'succeeded';
}

async function makeChild(db: Database, task: ReadyChildTask, plans: Map<string, Found>) {
  const depth = task.depth + 1;
  if (depth > DEEPEST_CHILD) {
    const message = `This batch is ${DEEPEST_CHILD} levels below the one that was submitted, and no plan is executed below that. Does a plan execute itself?`;
    return { ok: false, message } as const;
  }
  const parent = contextOf(task);
  const { child: wanted } = task.definition;
  const name = renderPlanName(wanted?.plan ?? '', parent);
  if (!name.ok) return name;
  const key = JSON.stringify([task.plan_digest, task.plan_folder, wanted?.plan, name.text]);
  const found = plans.get(key) ?? (await findPlan(db, task, name.text));
  plans.set(key, found);
  if (!found.ok) return found;
  const { plan, ...version } = found.child;
  const bound = bindChildInputs(plan.inputs, wanted?.config ?? {}, parent);
  if (!bound.ok) {
    const message = `The plan ${name.text} cannot be given its inputs: ${bound.problems.join(' ')}`;
    return { ok: false, message: message.slice(0, 2_000) } as const;
  }
  const child = {
    ...version,
    blueprint: buildBlueprint(plan, { priority: task.priority }),
    setup: plan.setup,
    inputs: bound.inputs,
    priority: task.priority,
    submitted_by: task.submitted_by,
  };
  return { ok: true, child, parent: { depth, shares_files: bound.shares_files } } as const;
}

function contextOf(task: ReadyChildTask): ParentContext {
  const { plan_name, plan_digest, bundle, plan_folder, batch_id, inputs, item, ordinal } = task;
  const context = { plan_name, plan_digest, bundle, plan_folder, batch_id, inputs };
  return task.has_list ? { ...context, item, item_index: ordinal } : context;
}

/** `{PLAN_PATH}` stays: it tells a folder from a name. */
function renderPlanName(
  template: string,
  parent: ParentContext,
): { ok: true; text: string } | { ok: false; message: string } {
  const variables: Record<string, string> = { PLAN_PATH: '{PLAN_PATH}', BATCH_ID: parent.batch_id };
  for (const [name, binding] of Object.entries(parent.inputs)) {
    if (binding.kind === 'value') variables[name] = binding.value;
  }
  const { item, item_index } = parent;
  try {
    const values = item_index === undefined ? { variables } : { variables, item, item_index };
    return { ok: true, text: renderText(template, values) };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { ok: false, message: `The plan to execute cannot be told: ${error.message}` };
  }
}

async function findPlan(db: Database, task: ReadyChildTask, name: string): Promise<Found> {
  const named = parseChildPlan(name);
  if (named === null) return { ok: false, message: `"${name}" is no folder below the plan's own.` };
  const { plan_digest, bundle } = task;
  const plan_folder = task.plan_folder === '' ? named.folder : `${task.plan_folder}/${named.folder}`;
  const inFolder = await readChildPlan(db, { plan_digest, folder: plan_folder });
  if (inFolder !== null) return readPlanText(name, inFolder, { plan_digest, bundle, plan_folder });
  const { registered } = named;
  // A name that the data gives is a folder alone: who submits is asked whether they may run a registered plan.
  const mayBeRegistered = registered === task.definition.child?.plan.trim();
  const version =
    registered !== null && mayBeRegistered
      ? await readPlanVersion(db, { name: registered, version: null })
      : null;
  if (version !== null) {
    const { markdown, digest } = version;
    return readPlanText(name, markdown, {
      plan_name: version.name,
      plan_digest: digest,
      bundle: version.bundle,
      plan_folder: '',
    });
  }
  const or = !mayBeRegistered ? '' : ', and no plan is registered under that name';
  const message = `The plan folder holds no ${named.folder}/plan.md${or}.`;
  return { ok: false, message };
}

/** `plan_name`: that of a registered plan; a folder's is in its heading. */
function readPlanText(
  name: string,
  markdown: string,
  version: Omit<ChildPlan, 'plan' | 'plan_name'> & { plan_name?: string },
): Found {
  const { plan, diagnostics } = validatePlan(markdown);
  const first = diagnostics.find((diagnostic) => diagnostic.severity === 'error');
  if (first === undefined) return { ok: true, child: { plan_name: plan.name, plan, ...version } };
  return { ok: false, message: `The plan ${name} has an error in line ${first.line}: ${first.message}` };
}
