import { toWellFormedJson } from '../well-formed.ts';
import type { DiagnosticList } from './diagnostic-list.ts';
import type { FieldValue } from './field-value.ts';
import { joinLines, sourceOffset } from './field-value.ts';
import {
  nearestChoice,
  nearestDuration,
  nearestMaxFailures,
  nearestMegabytes,
  nearestNumber,
} from './nearest-value.ts';
import { parseDuration } from './parse-duration.ts';
import { parseMaxFailures } from './parse-max-failures.ts';
import type { RawField } from './read-fields.ts';
import { parseMegabytes } from './read-script-estimates.ts';
import { repairJson, type TextChange } from './repair-json.ts';
import { allEdits, placeInLine, replaceText, replaceValue, type SourceEdit } from './source-edits.ts';
import type { SourceText } from './source-text.ts';
import { splitList } from './split-list.ts';
import { taskFields } from './task-fields.ts';

interface InvalidValue {
  readonly severity?: 'error' | 'warning';
  readonly written?: string;
  readonly better?: string | null;
  readonly hint?: string;
  readonly edits?: readonly SourceEdit[] | undefined;
}

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
    otherwise: T | null = null,
  ): T | null {
    const text = this.text(key);
    if (text === null) return null;
    const chosen = choices.find((choice) => choice === text.toLowerCase());
    if (chosen === undefined) {
      const better = nearestChoice(text, choices) ?? otherwise;
      this.invalid(key, `Known are: ${choices.join(', ')}.`, { severity, better });
    }
    return chosen ?? null;
  }

  whole(key: string, least: number, most: number): number | null {
    const text = this.text(key);
    if (text === null) return null;
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`;
    this.invalid(key, `It must be a whole number ${range}.`, {
      better: nearestNumber(text, least, most, true),
    });
    return null;
  }

  decimal(key: string, least: number, most: number): number | null {
    const text = this.text(key);
    if (text === null) return null;
    const number = /^\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    this.invalid(key, `It must be a number from ${least} to ${most}.`, {
      better: nearestNumber(text, least, most, false),
    });
    return null;
  }

  megabytes(key: string): number | null {
    const text = this.text(key);
    const megabytes = text === null ? null : parseMegabytes(text);
    if (text !== null && megabytes === null)
      this.invalid(key, 'It must be a number of megabytes, like 1500.', { better: nearestMegabytes(text) });
    return megabytes;
  }

  duration(key: string): string | null {
    const text = this.text(key);
    if (text === null || parseDuration(text) !== null) return text;
    this.invalid(key, 'It must be a duration like 90s, 20m or 6h.', { better: nearestDuration(text) });
    return null;
  }

  maxFailures(key: string): string | null {
    const text = this.text(key);
    if (text === null || parseMaxFailures(text) !== null) return text;
    this.invalid(key, 'It must be a number of items like 5, or a share like 10%.', {
      better: nearestMaxFailures(text),
    });
    return null;
  }

  json(key: string): unknown {
    const text = this.text(key);
    if (text === null) return null;
    try {
      return toWellFormedJson(JSON.parse(text));
    } catch (error) {
      const why = error instanceof Error ? error.message.replace(/\.$/, '') : 'it cannot be read';
      this.invalid(key, `It must be JSON: ${why}.`, { edits: this.change(key, repairJson(text)) });
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

  /** A list of names of one kind. Names with nothing but spaces between them are told with the commas they need. */
  names(key: string, isName: (text: string) => boolean, why: string): string[] | null {
    const entries = this.list(key);
    const wrong = entries?.find((entry) => !isName(entry));
    if (entries === null || wrong === undefined) return entries;
    const words = entries.flatMap((entry) => entry.split(/\s+/));
    const isClear = words.every(isName) && this.value(key)?.form !== 'lines';
    this.invalid(key, why, { written: wrong, better: isClear ? words.join(', ') : null });
    return null;
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
      if (match === null)
        this.invalid(key, 'Each entry must be KEY=value.', {
          written: entry.trim(),
          edits: this.repairVariable(key, entry.trim()),
        });
      else variables.set(match[1] ?? '', match[2] ?? '');
    }
    return variables.size === 0 ? null : Object.fromEntries(variables);
  }

  /** `KEY: value` and `export KEY=value` say clearly enough what they mean. */
  private repairVariable(key: string, entry: string): SourceEdit[] | undefined {
    const match = /^(?:export\s+)?([A-Za-z_]\w*)(?:\s*[:=]\s*)(\S[\s\S]*)$/.exec(entry);
    const text = this.text(key) ?? '';
    const at = text.indexOf(entry);
    if (match === null || text.indexOf(entry, at + 1) !== -1) return undefined;
    return this.change(key, [{ at, written: entry, replacement: `${match[1]}=${match[2]}` }]);
  }

  /** Changes of the text of a value as edits of the plan. */
  change(key: string, changes: readonly TextChange[] | null): SourceEdit[] | undefined {
    const value = this.value(key);
    if (value === null || changes === null) return undefined;
    const joined = joinLines(value);
    return allEdits(
      ...changes.map(({ at, written, replacement }) =>
        replaceText(this.found.source, sourceOffset(joined, at), written, replacement),
      ),
    );
  }

  /** `better`: what was meant, where it is clear; `edits`: the same for a part of the value. */
  invalid(key: string, why: string, options: InvalidValue = {}): void {
    const field = this.fields.get(key);
    if (field === undefined) return;
    const { severity = 'error', written = this.text(key) ?? '', better = null } = options;
    const short = shorten(written);
    const value = this.value(key);
    this.found.add({
      severity,
      rule: 'invalid_value',
      subject: `${key} ${short}`,
      message: `"${short}" is no value for ${key}. ${why}`,
      offset:
        value === null
          ? field.offset
          : placeInLine(this.found.source, field.offset, sourceOffset(joinLines(value), 0)),
      hint: better === null ? (options.hint ?? why) : `Write ${key}: ${better}.`,
      edits:
        options.edits ??
        (better === null || value === null
          ? undefined
          : allEdits(replaceValue(this.found.source, joinLines(value), better))),
    });
  }

  /** The value that counts: inline code alone where prose behind it is only a remark. */
  value(key: string): FieldValue | null {
    const field = this.fields.get(key);
    return field === undefined ? null : fieldValue(field);
  }

  get source(): SourceText {
    return this.found.source;
  }

  /** The field as it stands in the plan. */
  place(key: string): RawField | null {
    return this.fields.get(key) ?? null;
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
