/**
 * A plan turned into what the store keeps: stages in order, edges and lists between them by position. Pure data;
 * `plan/` makes it, `store/` writes it.
 */
export interface BatchBlueprint {
  readonly stages: readonly StageBlueprint[];
  readonly edges: readonly EdgeBlueprint[];
  readonly lists: readonly ListBlueprint[];
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
