import {
  llmPlacements,
  metaActions,
  taskClasses,
  taskDefaults,
  taskTypes,
  vramPolicies,
} from '@planfleet/shared-types';

/** What each field of a task takes, in a line. A test compares the names with those that the plan format knows. */
export const planFields: Readonly<Record<string, string>> = {
  type: `${taskTypes.join(', ')}; without it: shell, or what command or prompt imply`,
  executor: 'worker or brain; rarely needed',
  task_class: `${taskClasses.join(', ')}: cpu needs no GPU, script runs its own code on a GPU, llm talks to a model server. Always state it`,
  command: 'bash; inline code on one line, or a fenced block indented beneath the field',
  prompt: 'text for the model',
  context: 'text that goes before the prompt',
  system: 'system prompt',
  schema: 'JSON Schema of the answer',
  output: 'file below {BATCH_PATH} that receives the answer',
  max_tokens: 'whole number',
  temperature: 'number',
  action: metaActions.join(' or '),
  plan: 'name of a registered plan, or a folder below {PLAN_PATH}',
  config: 'its inputs as JSON',
  depends_on:
    'none, or task ids between commas: waits until all of their tasks have succeeded. x_{ITEM.id} waits for the same item of x only',
  foreach:
    '{BATCH_PATH}/manifest.json:key (a JSON file and the key of its list), a .json, .jsonl or .csv file, or an inline JSON array. One task per item',
  batch_size: 'items per task; 1 without it',
  requires: 'paths or globs below {BATCH_PATH} to fetch before the attempt; all without it',
  produces:
    'paths or globs below {BATCH_PATH} that the task writes. A literal path that is not there after exit 0 fails the attempt',
  vram_estimate_mb: `megabytes; ${taskDefaults.vram_estimate_mb} without it`,
  vram_policy: `${vramPolicies.join(', ')}; ${taskDefaults.vram_policy} without it`,
  llm_model: 'name of the model',
  llm_min_tier: 'whole number',
  llm_placement: llmPlacements.join(' or '),
  priority: `1 to 10, higher first; ${taskDefaults.priority} without it`,
  timeout: '90s, 20m or 6h; none without it',
  stuck_after: `no sign of life for this long; ${taskDefaults.stuck_after} without it`,
  max_attempts: `1 to 10; ${taskDefaults.max_attempts} without it`,
  max_failures: `5 or 10%: so many items may fail for good and dependents still run; ${taskDefaults.max_failures} without it`,
  env: 'KEY=value between commas or as bullets',
  gpus: 'whole GPUs on one machine; 1 for script and llm',
  labels: 'labels that the machine must all have',
  secrets: 'names of secrets that the machine must provide in the environment',
  evaluate: 'criteria by which the output is rated',
};
