import { type Diagnostic, diagnosticSchema } from '@planfleet/shared-types';
import stringWidth from 'string-width';
import * as z from 'zod';
import { RefusedError } from './api-client.ts';
import type { Paint } from './paint.ts';
import { printableLine, printableText } from './printable-text.ts';

/** Most of a line that is shown; a longer one is shown around the place. */
const SHOWN_WIDTH = 120;

/**
 * `plan.md:LINE:COL error PF014 message`, the line of the plan with a mark under the place where the text is known,
 * and what to write instead.
 */
export function formatDiagnostic(diagnostic: Diagnostic, paint: Paint, plan?: PlanText): string[] {
  const { severity, code, line, column } = diagnostic;
  const place = `plan.md:${line}:${column}`;
  const word = severity === 'error' ? paint.red(severity) : paint.yellow(severity);
  const lines = [`${paint.bold(place)} ${word} ${code} ${printableLine(diagnostic.message, 2_000)}`];
  lines.push(...showPlace(diagnostic, paint, plan));
  if (diagnostic.hint !== undefined) lines.push(`  hint: ${printableLine(diagnostic.hint, 2_000)}`);
  return lines;
}

/** The lines of a plan.md, for showing places in it. */
export type PlanText = readonly string[];

/** Lines as diagnostics count them. */
export function splitPlanText(markdown: string): PlanText {
  return markdown.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
}

function showPlace(
  { line, column, severity }: Diagnostic,
  paint: Paint,
  plan: PlanText | undefined,
): string[] {
  const text = plan?.[line - 1];
  if (text === undefined || text.trim() === '') return [];
  const from = column > SHOWN_WIDTH - 20 ? column - SHOWN_WIDTH / 2 : 0;
  const show = (part: string) => printableText(part).replaceAll(/\s/g, ' ');
  const before = (from > 0 ? '…' : '') + show(text.slice(from, column - 1));
  const rest = text.slice(column - 1, from + SHOWN_WIDTH);
  const after = show(rest) + (from + SHOWN_WIDTH < text.length ? '…' : '');
  const margin = `${' '.repeat(Math.max(0, 5 - String(line).length))}${line} | `;
  const mark = severity === 'error' ? paint.red('^') : paint.yellow('^');
  return [paint.dim(margin) + before + after, `${' '.repeat(margin.length + stringWidth(before))}${mark}`];
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
