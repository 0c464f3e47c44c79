/** A place in plan.md, both numbers from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a field stands and where its value starts. */
export interface FieldPosition extends Position {
  readonly value_line: number;
  readonly value_column: number;
}

export const taskTypes = ['shell', 'generate', 'parse', 'decide', 'execute_plan', 'meta'] as const;
export type TaskType = (typeof taskTypes)[number];

export const executors = ['worker', 'brain'] as const;
export type Executor = (typeof executors)[number];

export const taskClasses = ['cpu', 'script', 'llm', 'meta', 'brain'] as const;
export type TaskClass = (typeof taskClasses)[number];

export const vramPolicies = ['default', 'infer', 'fixed'] as const;
export type VramPolicy = (typeof vramPolicies)[number];

export const llmPlacements = ['single_gpu', 'split_gpu'] as const;
export type LlmPlacement = (typeof llmPlacements)[number];

export const metaActions = ['load_llm', 'unload_llm'] as const;
export type MetaAction = (typeof metaActions)[number];

/** How an input reaches the machine that runs a task. */
export type InputKind = 'value' | 'file' | 'folder' | 'output_file' | 'output_folder';

export interface PlanInput {
  readonly name: string;
  readonly description: string;
  /** Null: must be given at submission, unless nothing uses it. */
  readonly default: string | null;
  readonly required: boolean;
  readonly kind: InputKind;
  /** Whether any task or Setup uses it; one that is not used is never demanded. */
  readonly used: boolean;
  readonly position: Position;
}

/** The list a foreach task reads, or holds itself. */
export type Foreach =
  | { readonly path: string; readonly jsonpath: string | null }
  | { readonly items: readonly unknown[] };

/** One placeholder of a task or of Setup. */
export interface PlanPlaceholder extends Position {
  /** The field it stands in; `setup` for Setup. */
  readonly field: string;
  readonly text: string;
  readonly name: string;
  readonly is_item: boolean;
  readonly raw: boolean;
}

/** One `###` task of a plan. What is not given, or given with an invalid value, is null. */
export interface PlanTask {
  readonly id: string;
  readonly description: string | null;
  readonly type: TaskType;
  readonly executor: Executor;
  readonly task_class: TaskClass;
  /** Guessed from the words of the command. */
  readonly task_class_inferred: boolean;
  readonly command: string | null;
  readonly prompt: string | null;
  readonly context: string | null;
  readonly system: string | null;
  readonly schema: unknown;
  readonly output: string | null;
  readonly max_tokens: number | null;
  readonly temperature: number | null;
  readonly action: MetaAction | null;
  readonly plan: string | null;
  readonly config: unknown;
  /** Tasks that must have finished as a whole. */
  readonly depends_on: readonly string[];
  /** Tasks of which the same item must have finished. */
  readonly item_depends_on: readonly string[];
  readonly foreach: Foreach | null;
  /** Items per task: `batch_size` of the plan format. */
  readonly group_size: number;
  readonly requires: readonly string[] | null;
  readonly produces: readonly string[] | null;
  readonly vram_estimate_mb: number | null;
  readonly vram_policy: VramPolicy | null;
  readonly llm_model: string | null;
  readonly llm_min_tier: number | null;
  readonly llm_placement: LlmPlacement | null;
  readonly priority: number | null;
  /** As written; see `parseDuration`. */
  readonly timeout: string | null;
  readonly stuck_after: string | null;
  readonly max_attempts: number | null;
  /** As written; see `parseMaxFailures`. */
  readonly max_failures: string | null;
  readonly env: Readonly<Record<string, string>> | null;
  readonly gpus: number | null;
  readonly labels: readonly string[] | null;
  readonly secrets: readonly string[] | null;
  readonly evaluate: string | null;
  /** The heading. */
  readonly position: Position;
  /** Every field that the plan writes, by its name in the plan format. */
  readonly fields: Readonly<Record<string, FieldPosition>>;
  readonly placeholders: readonly PlanPlaceholder[];
}

/** A plan.md, read. */
export interface ParsedPlan {
  /** Empty when the heading `# Plan: <Name>` is missing. */
  readonly name: string;
  readonly goal: string | null;
  readonly inputs: readonly PlanInput[];
  /** The bash of Setup. */
  readonly setup: string | null;
  readonly setup_position: Position | null;
  readonly setup_placeholders: readonly PlanPlaceholder[];
  /** In the order of the document, duplicates too. */
  readonly tasks: readonly PlanTask[];
}

/** What holds where a plan gives nothing. */
export const taskDefaults = {
  priority: 5,
  max_attempts: 3,
  max_failures: '0',
  stuck_after: '20m',
  vram_estimate_mb: 1024,
  vram_policy: 'infer',
} as const;
