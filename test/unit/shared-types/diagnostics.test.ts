import { describe, expect, test } from 'vitest';
import {
  applyFixes,
  type DiagnosticRule,
  diagnosticCodes,
  fixPlan,
  validatePlan,
} from '../../../shared-types/src/index.ts';
import { examples } from './diagnostic-table.ts';

const rules = Object.keys(diagnosticCodes) as DiagnosticRule[];
/** What a plan that shows one thing cannot help to say besides. */
const besides = new Set(['not_supported_yet', 'unused_input', 'foreach_unproduced']);

test('every code has an example', () => {
  expect(Object.keys(examples).sort()).toEqual(rules.toSorted());
  for (const rule of rules) expect([rule, examples[rule].length]).not.toEqual([rule, 0]);
});

describe.each(rules)('%s', (rule) => {
  test.each(examples[rule].map((example, index) => ({ example, index })))('$index', ({ example }) => {
    const { plan, options = {}, at, fixed } = example;
    const { diagnostics } = validatePlan(plan, options);
    const [found, ...more] = diagnostics.filter((each) => each.rule === rule);
    expect(found).toMatchObject({ code: diagnosticCodes[rule].code, line: at[0], column: at[1] });
    expect(found?.hint).toMatch(/\S/);
    expect(more).toEqual([]);
    const others = diagnostics.filter((each) => each.rule !== rule && !besides.has(each.rule));
    expect(others.map((each) => each.message)).toEqual(
      rule === 'heading_without_fields' || rule === 'hardcoded_gpu' ? expect.anything() : [],
    );
    if (typeof fixed !== 'string') {
      expect(fixed.none).toMatch(/\S/);
      expect(found?.edits).toBeUndefined();
      return;
    }
    const once = applyFixes(plan, found === undefined ? [] : [found]);
    expect(validatePlan(once, options).diagnostics.filter((each) => each.rule === rule)).toEqual([]);
    expect(rule === 'heading_without_fields' ? fixPlan(plan, options).markdown : once).toContain(fixed);
  });
});

describe('applyFixes', () => {
  const plan =
    '# Plan: x\n\n## Tasks\n\n### a\n- **task_class**: cpu\n- **command**: `echo {PLAN_PTH}`\n- **priority**: 11\n';

  test('respects a byte order mark, CRLF, tabs and text that is no ASCII', () => {
    const odd = `\uFEFF${plan.replaceAll('\n', '\r\n').replace('echo', 'echo\t😀é日')}`;
    const { markdown, diagnostics } = fixPlan(odd);
    expect(diagnostics).toEqual([]);
    expect(markdown).toBe(odd.replace('PTH', 'PATH').replace('11', '10'));
  });

  test('makes the edits of a diagnostic all or not at all', () => {
    const { diagnostics } = validatePlan(plan);
    const [first] = diagnostics;
    if (first?.edits === undefined) throw new Error('no edits');
    const clash = {
      ...first,
      edits: [
        ...first.edits,
        { ...first.edits[0], line: 8, column: 1, end_line: 8, end_column: 2, replacement: '*' },
      ],
    };
    expect(applyFixes(plan, [first, clash])).toContain('\n* **priority**');
    expect(applyFixes(plan, [{ ...clash, edits: clash.edits.toReversed() }])).toContain('\n* **priority**');
    const other = { ...clash, edits: clash.edits.map((edit) => ({ ...edit, replacement: 'NO' })) };
    expect(applyFixes(plan, [first, other])).toBe(applyFixes(plan, [first]));
  });

  test('does not take out an input that a misspelled placeholder means', () => {
    const markdown = plan
      .replace('## Tasks', '## Inputs\n\n- **WORD**: w\n\n## Tasks')
      .replace('PLAN_PTH', 'WROD');
    expect(fixPlan(markdown).markdown).toContain('- **WORD**: w\n');
    const { diagnostics } = validatePlan(markdown);
    expect(validatePlan(applyFixes(markdown, diagnostics)).diagnostics).toEqual([]);
  });
});
