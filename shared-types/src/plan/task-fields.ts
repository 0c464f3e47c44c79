import { findNearestName } from './find-nearest-name.ts';
import type { PlanTask } from './plan.ts';

/** What is known about a task when it is asked whether a field suits it. */
export type TaskNature = Pick<
  PlanTask,
  'type' | 'task_class' | 'task_class_inferred' | 'foreach' | 'group_size'
>;

interface TaskField {
  /** Absent: suits every task. */
  readonly suits?: (task: TaskNature) => boolean;
  /** What the field is for, completing "is for ...". */
  readonly purpose?: string;
  /** Text in which prose may follow inline code, so that both are the value. */
  readonly prose?: true;
}

const asksModel = (task: TaskNature) => ['generate', 'parse', 'decide'].includes(task.type);
const isShell = (task: TaskNature) => task.type === 'shell';
const isMeta = (task: TaskNature) => task.type === 'meta';
const isChild = (task: TaskNature) => task.type === 'execute_plan';
// A class that was guessed is no reason to doubt what the author wrote.
const isScript = (task: TaskNature) => task.task_class === 'script' || task.task_class_inferred;
const isLlm = (task: TaskNature) => task.task_class === 'llm' || task.task_class_inferred || asksModel(task);
const isForeach = (task: TaskNature) => task.foreach !== null;

/** A child batch has tasks of its own to say this of. */
const ofCommands = {
  suits: (task: TaskNature) => !isChild(task),
  purpose: 'tasks that an agent runs, like those of the plan that it executes',
};
const model = { suits: asksModel, purpose: 'tasks of type generate, parse or decide' };

/** Every field of the plan format. */
export const taskFields: Readonly<Record<string, TaskField>> = {
  type: {},
  executor: {},
  task_class: {},
  command: { suits: (task) => isShell(task) || isMeta(task), purpose: 'tasks of type shell' },
  prompt: { ...model, prose: true },
  context: { ...model, prose: true },
  system: { ...model, prose: true },
  schema: {
    suits: (task) => task.type === 'parse' || task.type === 'decide',
    purpose: 'tasks of type parse or decide',
  },
  output: model,
  max_tokens: model,
  temperature: model,
  action: { suits: isMeta, purpose: 'tasks of type meta' },
  plan: { suits: isChild, purpose: 'tasks of type execute_plan' },
  config: { suits: isChild, purpose: 'tasks of type execute_plan' },
  depends_on: { prose: true },
  foreach: {},
  batch_size: {
    suits: (task) => (isForeach(task) && !isChild(task)) || task.group_size === 1,
    purpose: 'tasks with a foreach that run a command',
  },
  requires: { ...ofCommands, prose: true },
  produces: { ...ofCommands, prose: true },
  vram_estimate_mb: { suits: isScript, purpose: 'tasks of class script' },
  vram_policy: { suits: isScript, purpose: 'tasks of class script' },
  llm_model: { suits: (task) => isLlm(task) || isMeta(task), purpose: 'tasks of class llm or meta' },
  llm_min_tier: { suits: isLlm, purpose: 'tasks of class llm' },
  llm_placement: { suits: (task) => isLlm(task) || isMeta(task), purpose: 'tasks of class llm or meta' },
  priority: {},
  timeout: ofCommands,
  stuck_after: ofCommands,
  max_attempts: {},
  max_failures: { suits: isForeach, purpose: 'tasks with a foreach' },
  env: { ...ofCommands, prose: true },
  gpus: { suits: (task) => isScript(task) || isLlm(task), purpose: 'tasks of class script or llm' },
  labels: { ...ofCommands, prose: true },
  secrets: { ...ofCommands, prose: true },
  evaluate: { prose: true },
};

export const fieldNames: readonly string[] = Object.keys(taskFields);

/** Names that other tools have for a field. */
const otherNames: Readonly<Record<string, string>> = {
  cmd: 'command',
  run: 'command',
  shell: 'command',
  depends: 'depends_on',
  dependencies: 'depends_on',
  dependency: 'depends_on',
  needs: 'depends_on',
  after: 'depends_on',
  for_each: 'foreach',
  class: 'task_class',
  retries: 'max_attempts',
  attempts: 'max_attempts',
  model: 'llm_model',
  vram: 'vram_estimate_mb',
  vram_mb: 'vram_estimate_mb',
  vram_estimate: 'vram_estimate_mb',
  environment: 'env',
  json_schema: 'schema',
  system_prompt: 'system',
  time_limit: 'timeout',
};

/** The field that was meant by an unknown key. */
export function findFieldName(key: string): string | undefined {
  return (Object.hasOwn(otherNames, key) ? otherNames[key] : undefined) ?? findNearestName(key, fieldNames);
}
