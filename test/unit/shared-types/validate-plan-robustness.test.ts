import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnosticSchema, validatePlan } from '../../../shared-types/src/index.ts';
import { cpuTimeOf } from '../../support/cpu-time.ts';

const corpus = fileURLToPath(new URL('../../corpus/plans/', import.meta.url));
const plans = readdirSync(corpus)
  .filter((name) => /^\d\d-/.test(name))
  .map((name) => readFileSync(`${corpus}${name}/plan.md`, 'utf8'));

/** Validates, and checks every diagnostic for its form and its place. */
function check(markdown: string): void {
  const { plan, diagnostics } = validatePlan(markdown, { files: ['scripts/a.py'], inputs: { NAME: 'x' } });
  const lines = markdown.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const outside: string[] = [];
  const inside = (line: number, column: number) => {
    const length = lines[line - 1]?.length;
    // One past the end is where something can be put in; a carriage return may stand between.
    if (length === undefined || column > length + 2) outside.push(`${line}:${column}`);
  };
  for (const diagnostic of diagnostics) {
    diagnosticSchema.parse(diagnostic);
    inside(diagnostic.line, diagnostic.column);
    for (const edit of diagnostic.edits ?? []) {
      inside(edit.line, edit.column);
      inside(edit.end_line, edit.end_column);
    }
  }
  for (const { placeholders } of plan.tasks)
    for (const { line, column } of placeholders) inside(line, column);
  expect(outside).toEqual([]);
  expect(diagnostics.map(({ line }) => line)).toEqual(
    diagnostics.map(({ line }) => line).sort((a, b) => a - b),
  );
}

const token = fc.constantFrom(
  ...[
    '# Plan: x\n',
    '## Tasks\n',
    '## Inputs\n',
    '## Setup\n',
    '### a\n',
    '### Task: b (c)\n',
    '- **command**: ',
    '`',
  ],
  ...[
    '- depends_on: ',
    'a_{ITEM.id}',
    '{NAME}',
    '{NAME:raw}',
    '- **NAME**: (default: ',
    ')\n',
    '\n',
    '\n\n',
    '  ',
    '\t',
  ],
  ...[
    '```bash\n',
    '~~~\n',
    '<!--',
    '-->',
    '$(',
    '"',
    "'",
    '<<EOF\n',
    '- foreach: ["a"]\n',
    '- env:\n  - A=1\n',
    '*',
    '>',
    '[',
  ],
  ...[
    '- batch_size: x\n',
    '\r\n',
    '\r',
    '\uFEFF',
    '\0',
    '日本',
    '\ud800',
    '---\n',
    '#### x\n',
    '- ',
    '1. ',
    '**',
    '\\',
  ],
);

describe('any text', () => {
  test('is answered with diagnostics inside it', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), check), { numRuns: 300 });
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join('')),
        check,
      ),
      {
        numRuns: 800,
      },
    );
  });

  test('that was a plan before it was damaged', () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      cut: fc.nat(60),
      put: fc.oneof(token, fc.string({ unit: 'binary', maxLength: 10 })),
    });
    const damaged = fc
      .tuple(fc.constantFrom(...plans), fc.array(edit, { minLength: 1, maxLength: 6 }))
      .map(([plan, edits]) => {
        return edits.reduce((text, { at, cut, put }) => {
          const from = Math.floor(at * text.length);
          return text.slice(0, from) + put + text.slice(from + cut);
        }, plan);
      });
    fc.assert(fc.property(damaged, check), { numRuns: 250 });
  }, 60_000);

  const task = (command: string) => `# Plan: x\n\n## Tasks\n\n### a\n- **command**: ${command}\n`;
  test.each<[string, string]>([
    ['nothing', ''],
    ['deep quotes', `${'> '.repeat(2000)}x`],
    ['deep lists', Array.from({ length: 150 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n')],
    ['many brackets', '['.repeat(20_000)],
    ['many stars', '*a '.repeat(10_000)],
    ['many backticks', Array.from({ length: 150 }, (_, length) => '`'.repeat(length)).join(' ')],
    ['deep substitutions', task(`echo ${'$('.repeat(5000)}`)],
    ['deep arithmetic', task(`echo ${'$(('.repeat(5000)}`)],
    ['deep quotes in a command', task(`echo ${'"$('.repeat(5000)}{NAME}`)],
    ['many backticks in a command', task(`echo ${'\\`'.repeat(2000)} {NAME}`)],
    ['many here-documents', task(`cat ${'<<A '.repeat(2000)}{NAME}`)],
    [
      'a command of 200 KB',
      `# Plan: x\n\n## Tasks\n\n### a\n- command:\n  \`\`\`sh\n${'  echo {NAME} "x"\n'.repeat(11_000)}  \`\`\`\n`,
    ],
    ['a word of 200 KB', task(`a[${'{NAME}x'.repeat(25_000)}`)],
    [
      'a chain of 800 tasks',
      `# Plan: x\n## Tasks\n${Array.from({ length: 800 }, (_, n) => `### t${n}\n- command: \`x\`\n- depends_on: t${n + 1}\n`).join('')}`,
    ],
    ['more than a plan may have', 'x'.repeat(1_000_001)],
  ])(
    'that is %s',
    (_, markdown) => {
      expect(cpuTimeOf(() => check(markdown))).toBeLessThan(5_000);
    },
    60_000,
  );
});
