import { toWellFormedJson } from '../well-formed.ts';
import type { DiagnosticList } from './diagnostic-list.ts';
import type { FieldValue } from './field-value.ts';
import { joinLines, sourceOffset } from './field-value.ts';
import { parseDuration } from './parse-duration.ts';
import { parseMaxFailures } from './parse-max-failures.ts';
import type { RawField } from './read-fields.ts';
import { parseMegabytes } from './read-script-estimates.ts';
import { splitList } from './split-list.ts';
import { taskFields } from './task-fields.ts';

/** Reads the fields of one task by name and reports values that cannot be read. */
export class FieldReader {
  private readonly fields: ReadonlyMap<string, RawField>;
  private readonly found: DiagnosticList;

  constructor(fields: ReadonlyMap<string, RawField>, found: DiagnosticList) {
    this.fields = fields;
    this.found = found;
  }

  /** The value as text; null when it is not given or empty. */
  text(key: string): string | null {
    const value = this.value(key);
    if (value === null) return null;
    const { text } = joinLines(value);
    return text === '' ? null : text;
  }

  choice<T extends string>(
    key: string,
    choices: readonly T[],
    severity: 'error' | 'warning' = 'error',
  ): T | null {
    const text = this.text(key);
    if (text === null) return null;
    const chosen = choices.find((choice) => choice === text.toLowerCase());
    if (chosen === undefined) this.invalid(key, `Known are: ${choices.join(', ')}.`, severity);
    return chosen ?? null;
  }

  whole(key: string, least: number, most: number): number | null {
    const text = this.text(key);
    if (text === null) return null;
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
    this.invalid(key, `It must be a whole number ${range}.`);
    return null;
  }

  decimal(key: string, least: number, most: number): number | null {
    const text = this.text(key);
    if (text === null) return null;
    const number = /^\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    this.invalid(key, `It must be a number from ${least} to ${most}.`);
    return null;
  }

  megabytes(key: string): number | null {
    const text = this.text(key);
    const megabytes = text === null ? null : parseMegabytes(text);
    if (text !== null && megabytes === null)
      this.invalid(key, 'It must be a number of megabytes, like 1500.');
    return megabytes;
  }

  duration(key: string): string | null {
    const text = this.text(key);
    if (text === null || parseDuration(text) !== null) return text;
    this.invalid(key, 'It must be a duration like 90s, 20m or 6h.');
    return null;
  }

  maxFailures(key: string): string | null {
    const text = this.text(key);
    if (text === null || parseMaxFailures(text) !== null) return text;
    this.invalid(key, 'It must be a number of items like 5, or a share like 10%.');
    return null;
  }

  json(key: string): unknown {
    const text = this.text(key);
    if (text === null) return null;
    try {
      return toWellFormedJson(JSON.parse(text));
    } catch (error) {
      this.invalid(key, `It must be JSON: ${error instanceof Error ? error.message : 'it cannot be read'}.`);
      return null;
    }
  }

  list(key: string): string[] | null {
    const value = this.value(key);
    if (value === null) return null;
    const entries = splitList(value).map((entry) => entry.text);
    if (entries.length === 0 || (entries.length === 1 && /^none$/i.test(entries[0] ?? ''))) return null;
    return entries;
  }

  /** `KEY=value` each, between commas, line ends or as bullets. */
  environment(key: string): Record<string, string> | null {
    const value = this.value(key);
    if (value === null) return null;
    const entries = value.form === 'lines' ? value.lines : [value];
    const variables = new Map<string, string>();
    for (const entry of entries.flatMap(({ text }) => text.split(/(?:\s*,\s*|\n\s*)(?=[A-Za-z_]\w*=)/))) {
      if (entry.trim() === '' || /^none$/i.test(entry.trim())) continue;
      const match = /^`?([A-Za-z_]\w*)=([\s\S]*?)`?$/.exec(entry.trim());
      if (match === null) this.invalid(key, 'Each entry must be KEY=value.', 'error', entry.trim());
      else variables.set(match[1] ?? '', match[2] ?? '');
    }
    return variables.size === 0 ? null : Object.fromEntries(variables);
  }

  invalid(
    key: string,
    why: string,
    severity: 'error' | 'warning' = 'error',
    written = this.text(key) ?? '',
  ): void {
    const field = this.fields.get(key);
    if (field === undefined) return;
    const short = shorten(written);
    this.found.add({
      severity,
      rule: 'invalid_value',
      subject: `${key} ${short}`,
      message: `"${short}" is no value for ${key}. ${why}`,
      offset: field.offset,
      hint: why,
    });
  }

  /** The value that counts: inline code alone where prose behind it is only a remark. */
  value(key: string): FieldValue | null {
    const field = this.fields.get(key);
    return field === undefined ? null : fieldValue(field);
  }

  /** Where the value starts in the source. */
  valueOffset(key: string): number {
    const value = this.value(key);
    return value === null ? 0 : sourceOffset(value, 0);
  }
}

/** See `FieldReader.value`. */
export function fieldValue(field: RawField): FieldValue {
  if (field.code_before_remark === null || taskFields[field.key]?.prose === true) return field.value;
  return field.code_before_remark;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 77)}...` : line;
}
