import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { diagnosticCodes, validatePlan } from '../../../shared-types/src/index.ts';
import { fieldNames } from '../../../shared-types/src/plan/task-fields.ts';

const page = readFileSync(
  fileURLToPath(new URL('../../../shared-types/docs/plan-format.md', import.meta.url)),
  'utf8',
);
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );

test('the page lists every diagnostic code with its meaning, an example and what is edited', () => {
  const listed = rows.filter(([code]) => /^PF\d{3}$/.test(code ?? ''));
  expect(listed.map(([code, rule, meaning]) => ({ code, rule, meaning }))).toEqual(
    Object.entries(diagnosticCodes).map(([rule, { code, meaning }]) => ({ code, rule, meaning })),
  );
  for (const cells of listed)
    expect([cells[0], cells.length, cells.includes('')]).toEqual([cells[0], 5, false]);
});

test('the page lists every field', () => {
  const listed = rows.flatMap(([first, , fallback]) =>
    fallback === undefined ? [] : [...(first ?? '').matchAll(/`([a-z_]+)`/g)].map((match) => match[1] ?? ''),
  );
  expect(fieldNames.filter((name) => !listed.includes(name))).toEqual([]);
});

test('the plan on the page is valid', () => {
  const plan = /```markdown\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(validatePlan(plan).diagnostics).toEqual([]);
});
