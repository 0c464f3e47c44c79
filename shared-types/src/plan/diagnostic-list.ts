import type { Diagnostic, DiagnosticFix } from './diagnostic.ts';
import { type DiagnosticRule, diagnosticCodes } from './diagnostic-codes.ts';
import type { SourceText } from './source-text.ts';

/** What a check reports; the place as an offset in the source. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly rule: DiagnosticRule;
  readonly subject: string;
  readonly message: string;
  readonly offset: number;
  readonly hint?: string | undefined;
  readonly suggest?: string | undefined;
  readonly other_line?: number | undefined;
  readonly fix?: { readonly start: number; readonly end: number; readonly replacement: string } | undefined;
}

/** Collects findings and gives them out as diagnostics in the order of the plan. */
export class DiagnosticList {
  private readonly source: SourceText;
  private readonly diagnostics: Diagnostic[] = [];

  constructor(source: SourceText) {
    this.source = source;
  }

  add(finding: Finding): void {
    const { offset, fix, hint, suggest, other_line, ...rest } = finding;
    this.diagnostics.push({
      ...rest,
      code: diagnosticCodes[finding.rule].code,
      ...this.source.positionAt(offset),
      ...(hint === undefined ? {} : { hint }),
      ...(suggest === undefined ? {} : { suggest }),
      ...(other_line === undefined ? {} : { other_line }),
      ...(fix === undefined ? {} : { fix: this.placeFix(fix) }),
    });
  }

  has(rule: DiagnosticRule): boolean {
    return this.diagnostics.some((diagnostic) => diagnostic.rule === rule);
  }

  sorted(): Diagnostic[] {
    return this.diagnostics.toSorted(
      (a, b) => a.line - b.line || a.column - b.column || a.code.localeCompare(b.code),
    );
  }

  private placeFix(fix: { start: number; end: number; replacement: string }): DiagnosticFix {
    const start = this.source.positionAt(fix.start);
    const end = this.source.positionAt(fix.end);
    return { ...start, end_line: end.line, end_column: end.column, replacement: fix.replacement };
  }
}
