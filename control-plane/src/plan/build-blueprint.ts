import {
  listIdentity,
  type ParsedPlan,
  type PlanTask,
  parseDuration,
  parseMaxFailures,
  taskDefaults,
} from '@planfleet/shared-types';
import type {
  BatchBlueprint,
  ChildDefinition,
  EdgeBlueprint,
  ListBlueprint,
  StageBlueprint,
} from '../blueprint.ts';
import { findListProducer } from './find-list-producer.ts';
import { sortTasks } from './sort-tasks.ts';

/** What is being built: `all` holds, per stage, every stage that must be done before it opens. */
interface Draft {
  readonly priority: number;
  readonly stages: StageBlueprint[];
  readonly lists: ListDraft[];
  readonly positions: Map<string, number>;
  readonly all: Map<number, Set<number>>;
  readonly listOf: Map<number, ListDraft>;
}

interface ListDraft {
  readonly identity: string;
  /** Lists with the same content are one only when they come from the same place. */
  readonly origin: string;
  readonly source: ListBlueprint['source'];
  readonly stages: number[];
}

/**
 * Turns a plan without errors into the stages, edges and lists of a batch. `priority` holds for tasks that name
 * none of their own.
 */
export function buildBlueprint(plan: ParsedPlan, options: { priority?: number } = {}): BatchBlueprint {
  const priority = options.priority ?? taskDefaults.priority;
  const draft: Draft = {
    priority,
    stages: plan.tasks.map((task) => withSecrets(buildStage(task, priority), task, plan)),
    lists: [],
    positions: new Map(plan.tasks.map((task, position) => [task.id, position])),
    all: new Map(),
    listOf: new Map(),
  };
  const edges: EdgeBlueprint[] = [];
  for (const task of sortTasks(plan.tasks)) {
    const position = positionOf(draft, task.id);
    const all = new Set(task.depends_on.map((id) => positionOf(draft, id)));
    const above = task.item_depends_on.map((id) => positionOf(draft, id));
    // A per-item stage opens with the stage whose items it follows: until then it could not end either.
    for (const stage of above) for (const before of draft.all.get(stage) ?? []) all.add(before);
    draft.all.set(position, all);
    const list = task.foreach === null ? null : joinList(draft, plan, task, position, above);
    if (list?.source.kind === 'file') all.add(list.source.producer);
    for (const stage of above) {
      const perItem = list !== null && draft.listOf.get(stage) === list;
      if (perItem) edges.push({ from: stage, to: position, kind: 'item' });
      else all.add(stage);
    }
  }
  for (const [to, before] of draft.all) for (const from of before) edges.push({ from, to, kind: 'all' });
  return { stages: draft.stages, edges, lists: draft.lists.map(finishList) };
}

function buildStage(task: PlanTask, priority: number): StageBlueprint {
  const losses = parseMaxFailures(task.max_failures ?? taskDefaults.max_failures);
  return {
    key: task.id,
    description: task.description,
    task_class: laneClass(task),
    labels: task.labels ?? [],
    priority: task.priority ?? priority,
    max_attempts: task.max_attempts ?? taskDefaults.max_attempts,
    max_failures: losses !== null && 'count' in losses ? losses.count : 0,
    max_failures_percent: losses !== null && 'percent' in losses ? losses.percent : 0,
    // A child batch is given one item: its config has no list of them.
    group_size: task.foreach === null || task.type === 'execute_plan' ? 1 : task.group_size,
    definition: {
      command: task.command,
      env: task.env ?? {},
      timeout_ms: task.timeout === null ? null : parseDuration(task.timeout),
      produces: task.produces ?? [],
      ...(task.type === 'execute_plan' ? { child: buildChild(task) } : {}),
    },
  };
}

function buildChild({ plan, config }: PlanTask): ChildDefinition {
  const isRecord = typeof config === 'object' && config !== null && !Array.isArray(config);
  return { plan: plan ?? '', config: isRecord ? { ...config } : {} };
}

/** A definition names secrets only where the plan does: it is kept with every stage, and sent with every claim. */
function withSecrets(stage: StageBlueprint, task: PlanTask, plan: ParsedPlan): StageBlueprint {
  const all = plan.setup === null ? [] : [...new Set(plan.tasks.flatMap((each) => each.secrets ?? []))];
  const secrets = task.secrets ?? [];
  if (all.length === 0 && secrets.length === 0) return stage;
  return { ...stage, definition: { ...stage.definition, secrets, setup_secrets: all } };
}

/** What a machine must have to claim from the stage. Only commands run on CPU slots; the rest waits for its own kind. */
function laneClass(task: PlanTask): string {
  if (task.type === 'shell') return task.task_class;
  return task.type === 'generate' || task.type === 'parse' ? 'llm' : task.type;
}

function joinList(
  draft: Draft,
  plan: ParsedPlan,
  task: PlanTask,
  position: number,
  above: number[],
): ListDraft | null {
  if (task.foreach === null) return null;
  const identity = listIdentity(task.foreach);
  const followed = above.map((stage) => draft.listOf.get(stage)).find((list) => list?.identity === identity);
  const list = followed ?? findOrAddList(draft, plan, task, position, identity);
  list.stages.push(position);
  draft.listOf.set(position, list);
  return list;
}

function findOrAddList(
  draft: Draft,
  plan: ParsedPlan,
  task: PlanTask,
  position: number,
  identity: string,
): ListDraft {
  const { foreach } = task;
  if (foreach === null) throw new Error(`${task.id} has no list.`);
  if ('items' in foreach)
    return findList(draft, identity, 'inline', () => ({ kind: 'inline', items: foreach.items }));
  const producer = findListProducer(plan.tasks, task, foreach.path);
  const { path, jsonpath } = foreach;
  if (producer !== null) {
    const from = positionOf(draft, producer);
    return findList(draft, identity, `task ${from}`, () => ({
      kind: 'file',
      producer: from,
      path,
      jsonpath,
    }));
  }
  const before = [...(draft.all.get(position) ?? [])].sort((a, b) => a - b);
  return findList(draft, identity, `reader after ${before.join()}`, () => ({
    kind: 'file',
    producer: addReader(draft, task, before),
    path,
    jsonpath,
  }));
}

function findList(
  draft: Draft,
  identity: string,
  origin: string,
  source: () => ListBlueprint['source'],
): ListDraft {
  const known = draft.lists.find((list) => list.identity === identity && list.origin === origin);
  if (known !== undefined) return known;
  const list: ListDraft = { identity, origin, source: source(), stages: [] };
  draft.lists.push(list);
  return list;
}

/** A list that no task is known to write is read by a small task of its own, once everything before it is done. */
function addReader(draft: Draft, task: PlanTask, before: readonly number[]): number {
  let key = `read_list_of_${task.id}`;
  while (draft.positions.has(key)) key += '_';
  const position = draft.stages.length;
  draft.positions.set(key, position);
  draft.all.set(position, new Set(before));
  draft.stages.push({
    key,
    description: `reads the list of ${task.id}`,
    task_class: 'cpu',
    labels: task.labels ?? [],
    priority: task.priority ?? draft.priority,
    max_attempts: taskDefaults.max_attempts,
    max_failures: 0,
    max_failures_percent: 0,
    group_size: 1,
    definition: { command: null, env: {}, timeout_ms: null, produces: [] },
  });
  return position;
}

function finishList({ stages, source }: ListDraft): ListBlueprint {
  const [lead, ...others] = stages;
  if (lead === undefined) throw new Error('A list without a stage.');
  return { stages: [lead, ...others], source };
}

function positionOf(draft: Draft, id: string): number {
  const position = draft.positions.get(id);
  if (position === undefined)
    throw new Error(`The plan has no task ${id}; validation lets no such plan through.`);
  return position;
}
