import { labelSchema } from '../ids.ts';
import { findPlaceholders } from '../template/find-placeholders.ts';
import { MAX_GROUP_ITEMS } from '../wire/agent.ts';
import type { DiagnosticList } from './diagnostic-list.ts';
import { FieldReader, fieldValue } from './field-reader.ts';
import { type FieldValue, sourceOffset } from './field-value.ts';
import { inferTaskClass } from './infer-task-class.ts';
import { parseForeach } from './parse-foreach.ts';
import {
  executors,
  type FieldPosition,
  type Foreach,
  llmPlacements,
  metaActions,
  type PlanPlaceholder,
  type PlanTask,
  type TaskClass,
  type TaskType,
  taskClasses,
  taskTypes,
  vramPolicies,
} from './plan.ts';
import { readDependencies } from './read-dependencies.ts';
import type { RawField } from './read-fields.ts';
import { readMetaCommand } from './read-meta-command.ts';
import { findScriptEstimate } from './read-script-estimates.ts';
import { repairForeach } from './repair-foreach.ts';
import type { SourceText } from './source-text.ts';
import type { TaskDraft } from './task-draft.ts';

const anyNumber = Number.MAX_SAFE_INTEGER;

/** What a task needs besides its fields. */
export interface TaskSurroundings {
  readonly source: SourceText;
  readonly found: DiagnosticList;
  readonly estimates: ReadonlyMap<string, number>;
  readonly heading: {
    readonly id: string;
    readonly description: string | null;
    readonly offset: number;
    readonly id_offset: number;
  };
  /** Fields that are written, but misspelled or in a place where they do not count. */
  readonly meant: ReadonlySet<string>;
}

const isLabel = (text: string) => labelSchema.safeParse(text).success;
const isVariable = (text: string) => /^[A-Za-z_]\w*$/.test(text);

/** Makes a task of its fields; an invalid value counts as not given. */
export function readTask(
  fields: ReadonlyMap<string, RawField>,
  around: TaskSurroundings,
): Omit<TaskDraft, 'unknown' | 'late' | 'near'> {
  const { source, found, heading, meant } = around;
  const reader = new FieldReader(fields, found);
  const written = reader.text('command');
  const stated = reader.choice(
    'task_class',
    taskClasses,
    'warning',
    written === null ? null : inferTaskClass(written),
  );
  const meta = readMetaCommand(reader, stated);
  const type = reader.choice('type', taskTypes) ?? inferType(reader, meta.is_meta, meant);
  const command = meta.is_meta ? null : reader.text('command');
  const task_class = chooseClass(type, stated, command ?? '');
  const inferred = type === 'shell' && stated === null;
  const dependencies = readDependencies(fields.get('depends_on'));
  const task: PlanTask = {
    id: heading.id,
    description: heading.description,
    type,
    executor:
      reader.choice('executor', executors) ??
      (type === 'decide' || type === 'execute_plan' ? 'brain' : 'worker'),
    task_class,
    task_class_inferred: inferred,
    command,
    prompt: reader.text('prompt'),
    context: reader.text('context'),
    system: reader.text('system'),
    schema: reader.json('schema'),
    output: reader.text('output'),
    max_tokens: reader.whole('max_tokens', 1, anyNumber),
    temperature: reader.decimal('temperature', 0, 2),
    action: meta.action ?? reader.choice('action', metaActions),
    plan: reader.text('plan'),
    config: reader.json('config'),
    depends_on: dependencies.whole,
    item_depends_on: dependencies.per_item,
    foreach: readForeach(reader),
    group_size: reader.whole('batch_size', 1, MAX_GROUP_ITEMS) ?? 1,
    requires: reader.list('requires'),
    produces: reader.list('produces'),
    vram_estimate_mb:
      reader.megabytes('vram_estimate_mb') ?? estimate(fields, task_class, command, around.estimates),
    vram_policy: reader.choice('vram_policy', vramPolicies),
    llm_model: reader.text('llm_model'),
    llm_min_tier: reader.whole('llm_min_tier', 0, anyNumber),
    llm_placement: reader.choice('llm_placement', llmPlacements),
    priority: reader.whole('priority', 1, 10),
    timeout: reader.duration('timeout'),
    stuck_after: reader.duration('stuck_after'),
    max_attempts: reader.whole('max_attempts', 1, 10),
    max_failures: reader.maxFailures('max_failures'),
    env: reader.environment('env'),
    gpus: reader.whole('gpus', 1, 1000),
    labels: reader.names('labels', isLabel, 'A label is letters, digits, dots and dashes, like a100.'),
    secrets: reader.names('secrets', isVariable, 'A secret has the name of a variable, like HF_TOKEN.'),
    evaluate: reader.text('evaluate'),
    position: source.positionAt(heading.offset),
    fields: placeFields(source, fields, reader),
    placeholders: findTaskPlaceholders(source, fields),
  };
  return {
    task,
    offset: heading.offset,
    id_offset: heading.id_offset,
    fields,
    meant,
    dependencies,
    has_foreach: meant.has('foreach') || (fields.has('foreach') && reader.text('foreach') !== null),
    task_class_missing: inferred && !meant.has('task_class') && reader.text('task_class') === null,
    meta_command_invalid: meta.invalid,
  };
}

function inferType(reader: FieldReader, is_meta: boolean, meant: ReadonlySet<string>): TaskType {
  const has = (key: string) => reader.text(key) !== null || meant.has(key);
  if (is_meta) return 'meta';
  if (has('command')) return 'shell';
  if (has('prompt')) return has('schema') ? 'parse' : 'generate';
  if (has('plan')) return 'execute_plan';
  return has('action') ? 'meta' : 'shell';
}

const classOfType: Readonly<Record<Exclude<TaskType, 'shell'>, TaskClass>> = {
  generate: 'llm',
  parse: 'llm',
  decide: 'brain',
  execute_plan: 'brain',
  meta: 'meta',
};

function chooseClass(type: TaskType, stated: TaskClass | null, command: string): TaskClass {
  return type === 'shell' ? (stated ?? inferTaskClass(command)) : classOfType[type];
}

function estimate(
  fields: ReadonlyMap<string, RawField>,
  task_class: TaskClass,
  command: string | null,
  estimates: ReadonlyMap<string, number>,
): number | null {
  if (command === null || task_class !== 'script' || fields.has('vram_estimate_mb')) return null;
  return findScriptEstimate(command, estimates);
}

function readForeach(reader: FieldReader): Foreach | null {
  const text = reader.text('foreach');
  if (text === null) return null;
  const foreach = parseForeach(text);
  if (foreach === null) {
    reader.invalid(
      'foreach',
      'It must be path:jsonpath, like {BATCH_PATH}/manifest.json:items, or a JSON array.',
      { edits: reader.change('foreach', repairForeach(text)) },
    );
  }
  return foreach;
}

function placeFields(
  source: SourceText,
  fields: ReadonlyMap<string, RawField>,
  reader: FieldReader,
): Record<string, FieldPosition> {
  const places: [string, FieldPosition][] = [...fields].map(([key, field]) => {
    const value = source.positionAt(reader.valueOffset(key));
    return [key, { ...source.positionAt(field.offset), value_line: value.line, value_column: value.column }];
  });
  return Object.fromEntries(places);
}

// Ids and JSON Schemas are not templates; depends_on is read by its own rules.
const withoutPlaceholders = new Set(['depends_on', 'schema', 'type', 'executor', 'task_class']);

function findTaskPlaceholders(source: SourceText, fields: ReadonlyMap<string, RawField>): PlanPlaceholder[] {
  return [...fields].flatMap(([key, field]) => {
    if (withoutPlaceholders.has(key)) return [];
    const value = fieldValue(field);
    return (value.form === 'lines' ? value.lines : [value]).flatMap((line) =>
      placePlaceholders(source, key, line),
    );
  });
}

/** The placeholders of a value with their places in the plan. */
export function placePlaceholders(source: SourceText, field: string, value: FieldValue): PlanPlaceholder[] {
  return findPlaceholders(value.text).map(({ text, name, is_item, raw, start }) => {
    return { field, text, name, is_item, raw, ...source.positionAt(sourceOffset(value, start)) };
  });
}
