import { type FieldValue, sourceOffset } from './field-value.ts';
import type { Dependency } from './parse-dependencies.ts';
import type { RawField } from './read-fields.ts';
import type { SourceText } from './source-text.ts';

/** An edit by offsets in the source, end exclusive. */
export interface SourceEdit {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** The more exact of two places, where it is in the line of the other: that line is the one that names the field. */
export function placeInLine(source: SourceText, field_offset: number, exact: number): number {
  return source.positionAt(field_offset).line === source.positionAt(exact).line ? exact : field_offset;
}

/** Edits as a finding takes them; none of them when one is not possible. */
export function allEdits(...edits: readonly (SourceEdit | null)[]): SourceEdit[] | undefined {
  const possible = edits.filter((edit) => edit !== null);
  return possible.length === 0 || possible.length < edits.length ? undefined : possible;
}

/** `written` at an offset gives way to `replacement`; null when it does not stand there as it was read. */
export function replaceText(
  source: SourceText,
  start: number,
  written: string,
  replacement: string,
): SourceEdit | null {
  const end = start + written.length;
  return source.text.slice(start, end) === written ? { start, end, replacement } : null;
}

/** A value that stands in one piece gives way to another. */
export function replaceValue(source: SourceText, value: FieldValue, replacement: string): SourceEdit | null {
  return value.text === '' ? null : replaceText(source, sourceOffset(value, 0), value.text, replacement);
}

/** Removes the whole lines of a bullet; null when something else stands on them. */
export function removeLines(source: SourceText, start: number, end: number): SourceEdit | null {
  const from = source.offsetAt(source.positionAt(start).line);
  const last = source.positionAt(Math.max(start, end)).line;
  const to = last < source.line_count ? source.offsetAt(last + 1) : source.text.length;
  const alone = source.text.slice(from, start).trim() === '' && source.text.slice(end, to).trim() === '';
  return alone ? { start: from, end: to, replacement: '' } : null;
}

/** A bullet before the first one, written like it. */
export function insertFieldBefore(source: SourceText, field: RawField, text: string): SourceEdit {
  const { bullet, indent } = readBullet(source, field.offset);
  return { start: field.offset, end: field.offset, replacement: bullet + text + source.line_end + indent };
}

/** A bullet after another, written like it. */
export function insertFieldAfter(source: SourceText, field: RawField, text: string): SourceEdit {
  const { bullet, indent } = readBullet(source, field.offset);
  return { start: field.end, end: field.end, replacement: source.line_end + indent + bullet + text };
}

function readBullet(source: SourceText, offset: number): { bullet: string; indent: string } {
  const line = source.offsetAt(source.positionAt(offset).line);
  const bullet = /^(?:[-*+]|\d+[.)])[ \t]+/.exec(source.text.slice(offset, offset + 20))?.[0] ?? '- ';
  return { bullet, indent: source.text.slice(line, offset) };
}

/** Takes one entry out of a `depends_on`; null where its text cannot be told from what is around it. */
export function removeDependency(
  source: SourceText,
  field: RawField,
  entry: Dependency,
  all: readonly Dependency[],
): SourceEdit | null {
  if (all.length === 1) return removeLines(source, field.offset, field.end);
  let start = entry.offset;
  let end = start + entry.written.length;
  const { text } = source;
  if (text.slice(start, end) !== entry.written) return null;
  while (/["'`]/.test(text[start - 1] ?? '') && text[start - 1] === text[end]) {
    start -= 1;
    end += 1;
  }
  if (field.value.form === 'lines') {
    const bullet = /[-*+][ \t]+$/.exec(text.slice(Math.max(0, start - 20), start))?.[0];
    return bullet === undefined ? null : removeLines(source, start - bullet.length, end);
  }
  const behind = /^[ \t]*,[ \t]*/.exec(text.slice(end, end + 20));
  if (behind !== null) return { start, end: end + behind[0].length, replacement: '' };
  const before = /[ \t]*,[ \t]*$/.exec(text.slice(Math.max(0, start - 20), start));
  return before === null ? null : { start: start - before[0].length, end, replacement: '' };
}

/** Adds an entry to the `depends_on` of a task whose last field is `last`; null where there is no safe place for it. */
export function addDependency(
  source: SourceText,
  field: RawField | undefined,
  all: readonly Dependency[],
  id: string,
  last: RawField,
): SourceEdit | null {
  if (field === undefined) return insertFieldAfter(source, last, `**depends_on**: ${id}`);
  const entry = all.at(-1);
  if (entry === undefined) return replaceValue(source, field.value, id);
  if (field.value.form === 'lines') return null;
  let end = entry.offset + entry.written.length;
  const quote = /["']/.exec(source.text[end] ?? '')?.[0] ?? '';
  end += quote.length;
  return { start: end, end, replacement: `, ${quote}${id}${quote}` };
}
