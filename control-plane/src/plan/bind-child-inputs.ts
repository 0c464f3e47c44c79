import {
  findPlaceholders,
  type InputBinding,
  type PathReference,
  type Placeholder,
  type PlanInput,
  renderText,
  TemplateError,
} from '@planfleet/shared-types';
import { safeBaseName } from './bind-inputs.ts';

/** The task that starts a child batch: where its files are, and what its placeholders stand for. */
export interface ParentContext {
  readonly plan_name: string;
  readonly plan_digest: string;
  readonly bundle: string | null;
  readonly plan_folder: string;
  readonly batch_id: string;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  /** Absent where the task has no list. */
  readonly item?: unknown;
  readonly item_index?: number;
}

export type BoundChild =
  | {
      readonly ok: true;
      readonly inputs: Record<string, InputBinding>;
      /** Some value is a path of the parent, so that the child belongs where that is. */
      readonly shares_files: boolean;
    }
  /** All that is wrong, a sentence each. */
  | { readonly ok: false; readonly problems: readonly string[] };

type Part = string | PathReference;

/**
 * What each input of a child stands for, from the config of the task that executes it. What travels is handed on;
 * paths of the parent stay references, which the agent turns into paths of its machine.
 */
export function bindChildInputs(
  inputs: readonly PlanInput[],
  config: Readonly<Record<string, unknown>>,
  parent: ParentContext,
): BoundChild {
  const problems: string[] = [];
  const bindings = new Map<string, InputBinding>();
  const names = new Set(inputs.map((input) => input.name));
  for (const name of Object.keys(config)) {
    if (!names.has(name)) problems.push(`The plan has no input ${name}.`);
  }
  for (const input of inputs) {
    const given = Object.hasOwn(config, input.name) ? (config[input.name] ?? null) : null;
    if (given === null && input.required && input.used) {
      problems.push(`The input ${input.name} is given no value.`);
      continue;
    }
    try {
      bindings.set(input.name, bindInput(input, given, parent));
    } catch (error) {
      if (!(error instanceof TemplateError || error instanceof ConfigError)) throw error;
      problems.push(`The input ${input.name}: ${error.message}`);
    }
  }
  problems.push(...findClashes(bindings));
  if (problems.length > 0) return { ok: false, problems };
  const shares_files = [...bindings.values()].some((binding) => binding.kind === 'parent_path');
  return { ok: true, inputs: Object.fromEntries(bindings), shares_files };
}

function bindInput(input: PlanInput, given: unknown, parent: ParentContext): InputBinding {
  const isOutput = input.kind === 'output_file' || input.kind === 'output_folder';
  const handed = typeof given === 'string' ? handOn(given, parent) : undefined;
  if (handed?.kind === 'file' || handed?.kind === 'folder') return handed;
  // Written as the child's own, and told of as the parent's too.
  if (handed !== undefined && isOutput && handed.kind === input.kind) return handed;
  const parts = given === null ? [input.default ?? ''] : resolveValue(given, parent);
  if (parts.some((part) => typeof part !== 'string')) return { kind: 'parent_path', parts: [...parts] };
  const value = parts.join('');
  if (input.kind === 'output_file' || input.kind === 'output_folder') {
    return { kind: input.kind, path: safeBaseName(value, input.name) };
  }
  if ((input.kind === 'file' || input.kind === 'folder') && value !== '' && !value.startsWith('/')) {
    throw new ConfigError(
      `"${value.slice(0, 80)}" is a relative path, which no machine has. Write {BATCH_PATH}/... or an absolute path.`,
    );
  }
  return { kind: 'value', value };
}

function handOn(text: string, parent: ParentContext): InputBinding | undefined {
  const name = wholePlaceholder(text)?.name;
  return name !== undefined && Object.hasOwn(parent.inputs, name) ? parent.inputs[name] : undefined;
}

function wholePlaceholder(text: string): Placeholder | undefined {
  const [first] = findPlaceholders(text);
  return first?.text === text ? first : undefined;
}

function resolveValue(value: unknown, parent: ParentContext): Part[] {
  if (typeof value === 'string') return resolveText(value, parent);
  if (typeof value === 'object' && value !== null) return [JSON.stringify(resolveInside(value, parent))];
  return [String(value)];
}

/** Values inside lists and objects: text alone, since the whole is JSON. */
function resolveInside(value: unknown, parent: ParentContext): unknown {
  if (Array.isArray(value)) return value.map((each) => resolveInside(each, parent));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolveInside(each, parent)]));
  }
  if (typeof value !== 'string') return value;
  const parts = resolveText(value, parent);
  if (parts.every((part) => typeof part === 'string')) return parts.join('');
  throw new ConfigError('a path is known only on the machine. Give it as an input of its own.');
}

function resolveText(text: string, parent: ParentContext): Part[] {
  const parts: Part[] = [];
  const add = (part: Part) => {
    const last = parts.at(-1);
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else parts.push(part);
  };
  let from = 0;
  for (const placeholder of findPlaceholders(text)) {
    add(text.slice(from, placeholder.start));
    for (const part of resolvePlaceholder(placeholder, parent)) add(part);
    from = placeholder.end;
  }
  add(text.slice(from));
  return parts.filter((part) => part !== '');
}

function resolvePlaceholder(placeholder: Placeholder, parent: ParentContext): readonly Part[] {
  const { plan_name, plan_digest, bundle, plan_folder, batch_id } = parent;
  const plan = { plan_name, plan_digest, bundle, plan_folder };
  if (placeholder.name === 'PLAN_PATH') return [{ ...plan, batch_id: null }];
  if (placeholder.name === 'BATCH_PATH') return [{ ...plan, batch_id }];
  const binding = Object.hasOwn(parent.inputs, placeholder.name)
    ? parent.inputs[placeholder.name]
    : undefined;
  switch (binding?.kind) {
    case undefined: {
      const { item, item_index } = parent;
      const values = item === undefined ? {} : { item, item_index: item_index ?? 0 };
      return [renderText(placeholder.text, { variables: { BATCH_ID: batch_id }, ...values })];
    }
    case 'value':
      return [binding.value];
    case 'parent_path':
      return binding.parts;
    case 'output_file':
    case 'output_folder':
      return [{ ...plan, batch_id }, `/output/${binding.path}`];
    case 'file':
    case 'folder':
      throw new ConfigError(`${placeholder.text} is sent along and can only be handed on whole.`);
  }
}

/** Two outputs of one name would overwrite each other. */
function findClashes(bindings: ReadonlyMap<string, InputBinding>): string[] {
  const owners = new Map<string, string>();
  return [...bindings].flatMap(([name, binding]) => {
    if (binding.kind !== 'output_file' && binding.kind !== 'output_folder') return [];
    const other = owners.get(binding.path);
    owners.set(binding.path, name);
    return other === undefined
      ? []
      : [`The inputs ${other} and ${name} would both be written to output/${binding.path}.`];
  });
}

/** A value that cannot be handed to a child, in words. */
class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
