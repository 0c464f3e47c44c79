import type { Diagnostic, DiagnosticEdit } from './diagnostic.ts';
import { createSourceText, type SourceText } from './source-text.ts';

/**
 * Makes the edits of the diagnostics, which must be those of this very text. The edits of a diagnostic are made all or
 * not at all: not where they meet those of one before it. Nothing outside the edits changes, a byte order mark neither.
 */
export function applyFixes(markdown: string, diagnostics: readonly Diagnostic[]): string {
  return chooseFixes(markdown, diagnostics).markdown;
}

/** The same, with the diagnostics whose edits were made. */
export function chooseFixes(
  markdown: string,
  diagnostics: readonly Diagnostic[],
): { markdown: string; fixed: Diagnostic[] } {
  const source = createSourceText(markdown);
  const taken: Range[] = [];
  const fixed: Diagnostic[] = [];
  for (const diagnostic of diagnostics) {
    const wanted = (diagnostic.edits ?? []).map((edit) => locate(source, edit));
    // Two diagnostics may want the same edit, as two uses of an input that is not listed.
    const added = wanted.filter((edit) => !taken.some((other) => isSame(edit, other)));
    if (wanted.length === 0 || added.some((edit) => taken.some((other) => meets(edit, other)))) continue;
    taken.push(...added);
    fixed.push(diagnostic);
  }
  let { text } = source;
  for (const { start, end, replacement } of taken.toSorted((a, b) => b.start - a.start)) {
    text = text.slice(0, start) + replacement + text.slice(end);
  }
  return { markdown: markdown.startsWith('\uFEFF') ? `\uFEFF${text}` : text, fixed };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

function locate(source: SourceText, edit: DiagnosticEdit): Range {
  const at = (line: number, column: number) =>
    Math.min(source.offsetAt(line) + column - 1, source.text.length);
  const start = at(edit.line, edit.column);
  const end = Math.max(start, at(edit.end_line, edit.end_column));
  return { start, end, replacement: edit.replacement };
}

function isSame(a: Range, b: Range): boolean {
  return a.start === b.start && a.end === b.end && a.replacement === b.replacement;
}

/** Touching counts where one only inserts: which of them comes first would be a guess. */
function meets(a: Range, b: Range): boolean {
  if (a.start === a.end || b.start === b.end) return a.start <= b.end && b.start <= a.end;
  return a.start < b.end && b.start < a.end;
}
