import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import type { Nodes, Root } from 'mdast';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { expect, test } from 'vitest';
import { validatePlan } from '../../../shared-types/src/index.ts';
import { nodeRange, readMarkdown } from '../../../shared-types/src/plan/read-markdown.ts';
import { cpuTimeOf } from '../../support/cpu-time.ts';

const corpus = fileURLToPath(new URL('../../corpus/plans/', import.meta.url));
const plans = readdirSync(corpus)
  .filter((name) => /^\d\d-/.test(name))
  .map((name) => readFileSync(`${corpus}${name}/plan.md`, 'utf8'));

const disable = { null: ['attention', 'labelStartImage', 'labelStartLink', 'labelEnd'] };
const whole = unified().data('micromarkExtensions', [{ disable }]).use(remarkParse).freeze();

/** Types, places and texts, without the lines and columns, which are those of the part. */
function outline(node: Nodes): unknown {
  const { start, end } = nodeRange(node);
  return {
    type: node.type,
    start,
    end,
    ...('value' in node ? { value: node.value } : {}),
    ...('depth' in node ? { depth: node.depth } : {}),
    ...('children' in node ? { children: node.children.map(outline) } : {}),
  };
}

function expectSameAsWhole(text: string): void {
  const root: Root = whole.parse(text);
  const { blocks, unread } = readMarkdown(text);
  expect(unread).toBeNull();
  expect(blocks.map(outline)).toEqual(root.children.map(outline));
}

test('a plan read heading by heading is what it is in one piece', () => {
  for (const plan of plans) {
    expectSameAsWhole(plan);
    expectSameAsWhole(plan.replaceAll('\n', '\r\n'));
  }
});

const piece = fc.constantFrom(
  ...[
    '# a\n',
    '## b\n',
    '### c\n',
    '#### d\n',
    '### `e` #\n',
    '#\n',
    '###\tf\n',
    ' ### g\n',
    '#h\n',
    '### i',
  ],
  ...['```\n', '   ```\n', '````\n', '~~~\n', '  ~~~ x\n', '``` `\n', '`', '    code\n', '\tcode\n'],
  ...[
    '<!--\n',
    '<!-- x -->',
    '-->\n',
    '<div>\n',
    '</div>\n',
    '<b>\n',
    '<?php\n',
    '?>',
    '<script>\n',
    '</script>\n',
  ],
  ...[
    '<![CDATA[\n',
    ']]>\n',
    '<!A\n',
    '- x\n',
    '- ```\n',
    '- <!--\n',
    '  ',
    '1. y\n',
    '> q\n',
    '> ```\n',
    '>',
  ],
  ...[
    '===\n',
    '---\n',
    '\n',
    '\n\n',
    '\r\n',
    '\r',
    'text\n',
    '[a]: b\n',
    "[a]: b '\n",
    '[a]',
    '\\',
    '\u0000',
  ],
);

test('whatever the text, its parts are what they are in one piece', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => expectSameAsWhole(pieces.join(''))),
    { numRuns: Number(process.env['PLANFLEET_FUZZ_RUNS'] ?? 1_000) },
  );
});

function planOf(tasks: number): string {
  const parts = Array.from(
    { length: tasks },
    (_, index) =>
      `### task_${index}\n- **command**: \`echo ${index}\`\n- **task_class**: cpu\n- **depends_on**: ${index === 0 ? 'none' : `task_${index - 1}`}\n`,
  );
  return `# Plan: Large\n\n## Goal\nLarge.\n\n## Tasks\n${parts.join('\n')}`;
}

/** The quicker of two: the first one may be slow because nothing is compiled yet. */
function timeOf(work: () => void): number {
  return Math.min(cpuTimeOf(work), cpuTimeOf(work));
}

test('four times the tasks take about four times as long', () => {
  const [small, large] = [planOf(1_000), planOf(4_000)];
  expect(validatePlan(large)).toMatchObject({ diagnostics: [], plan: { tasks: { length: 4_000 } } });
  const ratio = timeOf(() => validatePlan(large)) / timeOf(() => validatePlan(small));
  expect(ratio).toBeLessThan(8);
}, 300_000);

test.each([
  ['more text than is read', 'a '.repeat(60_000)],
  ['more lines than are read', '- a\n'.repeat(6_000)],
  ['quotes in quotes without end', '> '.repeat(20_000)],
  ['a fence that is never closed', `\`\`\`\n${'### b\n'.repeat(20_000)}`],
])('%s up to the next heading is an error at its place', (_, text) => {
  const took = cpuTimeOf(() => {
    const { diagnostics } = validatePlan(`# Plan: x\n\n## Notes\n${text}\n`);
    expect(diagnostics.find(({ rule }) => rule === 'plan_too_large')).toMatchObject({
      line: 3,
      severity: 'error',
    });
  });
  expect(took).toBeLessThan(5_000);
});

test.each(['*_', '[', '![', '`a', '<', '\\', '[a][b]', '&amp;'])('much of %j is read in time', (text) => {
  const markdown = `# Plan: x\n\n## Tasks\n### a\n- **command**: ${text.repeat(90_000 / text.length)}\n`;
  expect(cpuTimeOf(() => validatePlan(markdown))).toBeLessThan(10_000);
});
