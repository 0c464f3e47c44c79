import type { Placeholder } from './find-placeholders.ts';
import { TemplateError } from './template-error.ts';

/** What placeholders stand for in one task. */
export interface TemplateValues {
  /** Inputs and `BATCH_ID`, `PLAN_PATH`, `BATCH_PATH`, by name. */
  readonly variables: Readonly<Record<string, string>>;
  /** The item of a foreach task: any JSON value. Absent in other tasks. */
  readonly item?: unknown;
  readonly item_index?: number;
}

/** The names that planfleet sets; with `:raw` only inputs may be inserted. */
export const builtinVariables: readonly string[] = ['PLAN_PATH', 'BATCH_PATH', 'BATCH_ID'];

/** The text that a placeholder stands for, before any escaping. */
export function lookupValue(placeholder: Placeholder, values: TemplateValues): string {
  const text = findText(placeholder, values);
  if (text.includes('\0')) {
    throw new TemplateError(
      'nul_in_value',
      placeholder.text,
      `The value of ${placeholder.text} holds a NUL character, which neither arguments nor files of text can carry.`,
    );
  }
  return text;
}

function findText(placeholder: Placeholder, values: TemplateValues): string {
  if (placeholder.raw && (placeholder.is_item || isBuiltin(placeholder.name))) {
    throw new TemplateError(
      'raw_not_allowed',
      placeholder.text,
      `${placeholder.text} cannot be inserted verbatim: ":raw" is for inputs only.`,
      `Write {${placeholder.name}}.`,
    );
  }
  if (placeholder.is_item) return renderItem(placeholder, values);
  if (placeholder.name === 'ITEM_INDEX' && values.item_index !== undefined) return String(values.item_index);
  if (Object.hasOwn(values.variables, placeholder.name)) {
    const value = values.variables[placeholder.name];
    if (value !== undefined) return value;
  }
  throw new TemplateError(
    'unknown_placeholder',
    placeholder.text,
    `${placeholder.text} has no value. Known are: ${Object.keys(values.variables).sort().join(', ')}.`,
  );
}

function isBuiltin(name: string): boolean {
  return builtinVariables.includes(name) || name === 'ITEM_INDEX';
}

function renderItem(placeholder: Placeholder, values: TemplateValues): string {
  if (values.item === undefined) {
    throw new TemplateError(
      'no_item',
      placeholder.text,
      `${placeholder.text} needs an item, and this task has none.`,
      'Give the task a foreach.',
    );
  }
  let value: unknown = values.item;
  for (const [depth, field] of placeholder.path.entries()) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) {
      throw missingField(placeholder, value, depth);
    }
    value = (value as Record<string, unknown>)[field];
  }
  return renderScalar(value);
}

function missingField(placeholder: Placeholder, value: unknown, depth: number): TemplateError {
  const owner = ['ITEM', ...placeholder.path.slice(0, depth)].join('.');
  const field = placeholder.path[depth] ?? '';
  if (typeof value !== 'object' || value === null) {
    return new TemplateError(
      'missing_item_field',
      placeholder.text,
      `{${owner}} is ${value === null ? 'null' : `a ${typeof value}`} and has no field "${field}".`,
      `Write {${owner}}.`,
    );
  }
  const fields = Object.keys(value);
  const listed = fields.slice(0, 20).join(', ') + (fields.length > 20 ? ', ...' : '');
  return new TemplateError(
    'missing_item_field',
    placeholder.text,
    `{${owner}} has no field "${field}". Its fields are: ${listed || '(none)'}.`,
  );
}

function renderScalar(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}
