import type { Diagnostic, DiagnosticEdit } from './diagnostic.ts';
import { type DiagnosticRule, diagnosticCodes } from './diagnostic-codes.ts';
import type { SourceEdit } from './source-edits.ts';
import type { SourceText } from './source-text.ts';

/** What a check reports; the place as an offset in the source. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly rule: DiagnosticRule;
  readonly subject: string;
  readonly message: string;
  readonly offset: number;
  /** What to write instead. */
  readonly hint: string;
  readonly suggest?: string | undefined;
  readonly other_line?: number | undefined;
  /** Made together; see `allEdits`. */
  readonly edits?: readonly SourceEdit[] | undefined;
}

/** Collects findings and gives them out as diagnostics in the order of the plan. */
export class DiagnosticList {
  readonly source: SourceText;
  private readonly diagnostics: Diagnostic[] = [];

  constructor(source: SourceText) {
    this.source = source;
  }

  add(finding: Finding): void {
    const { offset, edits, suggest, other_line, ...rest } = finding;
    const placed = this.placeEdits(edits ?? []);
    this.diagnostics.push({
      ...rest,
      code: diagnosticCodes[finding.rule].code,
      ...this.source.positionAt(offset),
      ...(suggest === undefined ? {} : { suggest }),
      ...(other_line === undefined ? {} : { other_line }),
      ...(placed.length === 0 ? {} : { edits: placed }),
    });
  }

  has(rule: DiagnosticRule): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.rule === rule);
  }

  hasErrors(): boolean {
    return this.diagnostics.some(({ severity }) => severity === 'error');
  }

  sorted(): Diagnostic[] {
    return this.diagnostics.toSorted(
      (a, b) => a.line - b.line || a.column - b.column || a.code.localeCompare(b.code),
    );
  }

  /** In the order of the text; none of them when two overlap. */
  private placeEdits(edits: readonly SourceEdit[]): DiagnosticEdit[] {
    const sorted = edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
    if (sorted.some((edit, index) => edit.start < (sorted[index - 1]?.end ?? 0))) return [];
    return sorted.map(({ start, end, replacement }) => {
      const from = this.source.positionAt(start);
      const to = this.source.positionAt(end);
      return { ...from, end_line: to.line, end_column: to.column, replacement };
    });
  }
}
