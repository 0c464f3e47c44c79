import type {
  BatchBlueprint,
  EdgeBlueprint,
  ListBlueprint,
  StageBlueprint,
} from '../../control-plane/src/blueprint.ts';
import type { Submission } from '../../control-plane/src/store/transitions/submit-batch.ts';

/** A stage that runs `true`, with what a test changes. */
export function stageBlueprint(key: string, change: Partial<StageBlueprint> = {}): StageBlueprint {
  return {
    key,
    description: null,
    task_class: 'cpu',
    labels: [],
    priority: 5,
    max_attempts: 3,
    max_failures: 0,
    max_failures_percent: 0,
    group_size: 1,
    definition: { command: 'true', env: {}, timeout_ms: null, produces: [] },
    ...change,
  };
}

/** A stage of type execute_plan, for the plan in the folder `child` unless told otherwise. */
export function childStage(
  key: string,
  config: Readonly<Record<string, unknown>> = {},
  change: Partial<StageBlueprint> & { plan?: string } = {},
): StageBlueprint {
  const { plan = '{PLAN_PATH}/child', ...rest } = change;
  const definition = { command: null, env: {}, timeout_ms: null, produces: [], child: { plan, config } };
  return stageBlueprint(key, { task_class: 'execute_plan', definition, ...rest });
}

/** Stages by key with `from -> to` edges written as `['scan', 'extract', 'all']`. */
export function batchBlueprint(
  stages: readonly StageBlueprint[],
  edges: readonly (readonly [string, string, EdgeBlueprint['kind']])[] = [],
  lists: readonly ListBlueprint[] = [],
): BatchBlueprint {
  const position = (key: string) => stages.findIndex((stage) => stage.key === key);
  return {
    stages,
    lists,
    edges: edges.map(([from, to, kind]) => ({ from: position(from), to: position(to), kind })),
  };
}

export function submission(blueprint: BatchBlueprint, change: Partial<Submission> = {}): Submission {
  return {
    blueprint,
    plan_name: 'test',
    plan_digest: '0'.repeat(64),
    bundle: null,
    setup: null,
    inputs: {},
    priority: 5,
    submitted_by: 'test',
    now: 1_700_000_000_000,
    ...change,
  };
}

/** A list of `count` items with ids `i0`, `i1`, ... that stands in the plan. */
export const inlineItems = (count: number): ListBlueprint['source'] => ({
  kind: 'inline',
  items: Array.from({ length: count }, (_, n) => ({ id: `i${n}` })),
});

/** One stage, `each`, over such a list. */
export const listBatch = (count: number, change: Partial<StageBlueprint> = {}): BatchBlueprint =>
  batchBlueprint([stageBlueprint('each', change)], [], [{ stages: [0], source: inlineItems(count) }]);

/** One stage with one task. */
export const singleBatch = (key: string, change: Partial<StageBlueprint> = {}): BatchBlueprint =>
  batchBlueprint([stageBlueprint(key, change)]);
