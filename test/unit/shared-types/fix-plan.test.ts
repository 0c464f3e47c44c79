import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyFixes, type Diagnostic, fixPlan, validatePlan } from '../../../shared-types/src/index.ts';
import { examples } from './diagnostic-table.ts';

const corpus = fileURLToPath(new URL('../../corpus/plans/', import.meta.url));
const plans = readdirSync(corpus)
  .filter((name) => /^\d\d-/.test(name))
  .map((name) => readFileSync(`${corpus}${name}/plan.md`, 'utf8'));
const small = Object.values(examples).flatMap((each) =>
  each.map(({ plan }) => plan).filter((plan) => plan.length < 5_000),
);

const countErrors = (diagnostics: readonly Diagnostic[]) =>
  diagnostics.filter(({ severity }) => severity === 'error').length;

/** The plan with the pieces that edits replace cut out. */
function outsideOf(markdown: string, diagnostic: Diagnostic): string[] {
  const lines = markdown.replace(/^\uFEFF/, '').split(/(?<=\r\n|\n|\r(?!\n))/);
  const offset = (line: number, column: number) => lines.slice(0, line - 1).join('').length + column - 1;
  const text = lines.join('');
  let from = 0;
  const pieces: string[] = [];
  for (const edit of diagnostic.edits ?? []) {
    pieces.push(text.slice(from, offset(edit.line, edit.column)));
    from = offset(edit.end_line, edit.end_column);
  }
  return [...pieces, text.slice(from)];
}

function check(markdown: string): void {
  const before = validatePlan(markdown).diagnostics;
  for (const diagnostic of before) {
    if (diagnostic.edits === undefined) continue;
    const outside = outsideOf(markdown, diagnostic);
    const expected = outside
      .flatMap((piece, index) => [piece, diagnostic.edits?.[index]?.replacement ?? ''])
      .join('');
    expect(applyFixes(markdown, [diagnostic]).replace(/^\uFEFF/, '')).toBe(expected);
  }
  const fixed = fixPlan(markdown);
  expect(countErrors(fixed.diagnostics)).toBeLessThanOrEqual(countErrors(before));
  expect(validatePlan(fixed.markdown).diagnostics).toEqual(fixed.diagnostics);
  // What is left is not touched again.
  expect(fixPlan(fixed.markdown).markdown).toBe(fixed.markdown);
  expect(fixed.markdown.startsWith('\uFEFF')).toBe(markdown.startsWith('\uFEFF'));
}

/** What a person does wrong: a line gone or twice, a letter wrong, a mark lost, two lines in the wrong order. */
const mistake = fc.record({
  kind: fc.constantFrom('delete', 'double', 'swap', 'misspell', 'drop', 'insert'),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  char: fc.constantFrom(...'"\'`{}()*-#:, \tx'),
});
type Mistake = typeof mistake extends fc.Arbitrary<infer T> ? T : never;

function makeMistake(text: string, { kind, at, char }: Mistake): string {
  if (kind === 'delete' || kind === 'double' || kind === 'swap') {
    const lines = text.split(/(?<=\n)/);
    const index = Math.floor(at * lines.length);
    const line = lines[index] ?? '';
    const next = lines[index + 1] ?? '';
    if (kind === 'swap') lines.splice(index, 2, next, line);
    else lines.splice(index, 1, ...(kind === 'double' ? [line, line] : []));
    return lines.join('');
  }
  const index = Math.floor(at * text.length);
  if (kind === 'insert') return text.slice(0, index) + char + text.slice(index);
  const rest = text.slice(index);
  const found = kind === 'drop' ? rest.search(/["'`{}()*#:-]/) : rest.search(/[a-z]{3}/i);
  const from = index + Math.max(0, found);
  if (kind === 'drop') return text.slice(0, from) + text.slice(from + 1);
  return (
    text.slice(0, from) + text.slice(from + 1, from + 2) + text.slice(from, from + 1) + text.slice(from + 2)
  );
}

const mistaken = (from: readonly string[], most: number) =>
  fc
    .tuple(fc.constantFrom(...from), fc.array(mistake, { minLength: 1, maxLength: most }))
    .map(([plan, mistakes]) => mistakes.reduce(makeMistake, plan));

describe('fixing', () => {
  test('leaves no error that has an edit in the corpus, and never one more than there was', () => {
    for (const plan of plans) check(plan);
  });

  test('plans with mistakes never makes them worse, and ends', () => {
    fc.assert(fc.property(mistaken(plans, 4), check), { numRuns: 60 });
  }, 120_000);

  test('small plans with many mistakes never makes them worse, and ends', () => {
    fc.assert(fc.property(mistaken(small, 6), check), { numRuns: 500 });
  }, 120_000);
});
