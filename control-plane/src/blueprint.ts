import type { InputBinding } from '@planfleet/shared-types';

/**
 * A plan turned into what the store keeps: stages in order, edges and lists between them by position. Pure data;
 * `plan/` makes it, `store/` writes it.
 */
export interface BatchBlueprint {
  readonly stages: readonly StageBlueprint[];
  readonly edges: readonly EdgeBlueprint[];
  readonly lists: readonly ListBlueprint[];
}

/** A batch as far as the plan and its inputs say it; who submits it, and when, comes on top. */
export interface BatchContent {
  readonly blueprint: BatchBlueprint;
  readonly plan_name: string;
  /** sha256 of the bundle, or of plan.md where there is none. */
  readonly plan_digest: string;
  readonly bundle: string | null;
  readonly setup: string | null;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  readonly priority: number;
}

/** Tasks that there are from the start: one a stage, or one a group of items where the list stands in the plan. */
export function countTasks({ stages, lists }: BatchBlueprint): number {
  const listed = new Set(lists.flatMap((list) => list.stages)).size;
  let tasks = stages.length - listed;
  for (const { source, stages: over } of lists) {
    if (source.kind === 'file') continue;
    for (const position of over)
      tasks += Math.ceil(source.items.length / (stages[position]?.group_size ?? 1));
  }
  return tasks;
}

export interface StageBlueprint {
  readonly key: string;
  readonly description: string | null;
  readonly task_class: string;
  readonly labels: readonly string[];
  readonly priority: number;
  readonly max_attempts: number;
  /** Items that may be abandoned. */
  readonly max_failures: number;
  readonly max_failures_percent: number;
  /** Items of a task, where the stage has a list. */
  readonly group_size: number;
  readonly definition: StageDefinition;
}

/** What the agent needs to run a task of the stage. */
export interface StageDefinition {
  /** Null: the task runs nothing and only reads a list. */
  readonly command: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly timeout_ms: number | null;
  readonly produces: readonly string[];
  /** Of a task of type execute_plan: no agent runs it, the brain starts a batch. */
  readonly child?: ChildDefinition;
  /** Names of secrets that the machine has to have. */
  readonly secrets?: readonly string[];
  /** Those of all tasks of the plan, for Setup. */
  readonly setup_secrets?: readonly string[];
}

export interface ChildDefinition {
  /** As the plan has it: a folder below `{PLAN_PATH}`, or the name of a registered plan. */
  readonly plan: string;
  /** Values for the child's inputs, with the placeholders of this plan. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** `all`: waits for the whole stage; `item`: each task waits for the tasks with items of its own. */
export interface EdgeBlueprint {
  readonly from: number;
  readonly to: number;
  readonly kind: 'all' | 'item';
}

export interface ListBlueprint {
  /** Stages with a task per item or group of items. They are expanded together; where all have one per item, the first keeps the items. */
  readonly stages: readonly [number, ...number[]];
  readonly source:
    | {
        readonly kind: 'file';
        readonly producer: number;
        readonly path: string;
        readonly jsonpath: string | null;
      }
    | { readonly kind: 'inline'; readonly items: readonly unknown[] };
}
