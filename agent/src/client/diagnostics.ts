import { type Diagnostic, diagnosticSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { RefusedError } from './api-client.ts';
import type { Paint } from './paint.ts';
import { printableLine } from './printable-text.ts';

/** `plan.md:LINE:COL error PF012 message`, and under it what to write instead. */
export function formatDiagnostic(diagnostic: Diagnostic, paint: Paint): string[] {
  const { severity, code, line, column } = diagnostic;
  const place = `plan.md:${line}:${column}`;
  const word = severity === 'error' ? paint.red(severity) : paint.yellow(severity);
  const lines = [`${paint.bold(place)} ${word} ${code} ${printableLine(diagnostic.message, 2_000)}`];
  if (diagnostic.hint !== undefined) lines.push(`  hint: ${printableLine(diagnostic.hint, 2_000)}`);
  return lines;
}

/** The diagnostics of a refused plan; null when the refusal is about something else. */
export function refusedDiagnostics(error: unknown): Diagnostic[] | null {
  if (!(error instanceof RefusedError)) return null;
  const parsed = z.array(diagnosticSchema).min(1).safeParse(error.problem?.['diagnostics']);
  return parsed.success ? parsed.data : null;
}

/** `2 errors, 1 warning` */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((each) => each.severity === 'error').length;
  const count = (n: number, word: string) => `${n} ${word}${n === 1 ? '' : 's'}`;
  return [count(errors, 'error'), count(diagnostics.length - errors, 'warning')]
    .filter((text) => !text.startsWith('0 '))
    .join(', ');
}
