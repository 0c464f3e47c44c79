import { describe, expect, test } from 'vitest';
import { type KnownPlans, parseChildPlan, validatePlan } from '../../../shared-types/src/index.ts';

const CHILD = `# Plan: Child

## Inputs
- **SRC**: where from
- **MODE**: how (default: fast)

## Tasks
### copy
- task_class: cpu
- command: \`cp {SRC} {MODE}\`
`;
const plans: KnownPlans = {
  folders: new Map([
    ['child', CHILD],
    ['broken', CHILD.replace('{SRC}', '{SRV}')],
    ['outer', parent('### x\n- plan: deep\n- config: `{"SRC": "1"}`\n')],
    ['outer/deep', CHILD],
    ['lost', parent('### x\n- plan: ./child\n')],
  ]),
  registered: new Map([
    ['shout', CHILD],
    ['whisper', null],
  ]),
};

function parent(tasks: string): string {
  return `# Plan: Parent\n\n## Inputs\n- **NAME**: who (optional)\n\n## Tasks\n\n${tasks}`;
}

function findings(tasks: string, known: KnownPlans | null = plans, travelling: string[] = []): string[] {
  const { diagnostics } = validatePlan(parent(tasks), {
    travelling,
    ...(known === null ? {} : { plans: known }),
  });
  return diagnostics
    .filter(({ rule }) => rule !== 'unused_input')
    .map(({ code, line, message, hint }) => `${code} ${line}: ${message} ${hint}`);
}
const execute = (plan: string, config: object | string = { SRC: '1' }) =>
  `### a\n- plan: ${plan}\n- config: \`${typeof config === 'string' ? config : JSON.stringify(config)}\`\n`;

describe('the plan that a task executes', () => {
  test.each([
    'child',
    './child',
    'child/',
    '{PLAN_PATH}/child',
    '{PLAN_PATH}/child/plan.md',
    'outer/deep',
    'outer',
    'shout',
  ])('is found as %s', (plan) => {
    const config = plan === 'outer' ? {} : { SRC: '1' };
    expect(findings(execute(plan, config))).toEqual([]);
  });

  test('that is neither a folder nor registered is told, with the nearest folder', () => {
    expect(
      findings(execute('chlid'), { folders: plans.folders, registered: new Map([['chlid', null]]) }),
    ).toEqual([
      'PF040 9: "a" executes chlid, but the plan folder holds no chlid/plan.md, and no plan is registered under that name. Did you mean {PLAN_PATH}/child?',
    ]);
    expect(findings(execute('{PLAN_PATH}/whisper'))).toEqual([
      expect.stringMatching(/^PF040 9: .* holds no whisper\/plan\.md\. Put that plan/),
    ]);
  });

  test.each(['../other', '/abs/olute', '{PLAN_PATH}', './', 'a/../../b'])('cannot be %s', (plan) => {
    expect(findings(execute(plan))).toEqual([
      expect.stringMatching(/^PF040 9: .* is no folder below the plan's own/),
    ]);
  });

  test('is not asked for where its folder is not known, or its name comes with the data', () => {
    expect(findings(execute('elsewhere'), null)).toEqual([]);
    expect(
      findings(execute('elsewhere'), { folders: null, registered: new Map([['elsewhere', null]]) }),
    ).toEqual([]);
    expect(findings(execute('steps/{NAME}'))).toEqual([]);
  });

  test('has no errors, nor have the plans that it executes itself, which lie in its own folder', () => {
    expect(findings(execute('broken'))).toEqual([
      expect.stringMatching(
        /^PF041 9: The plan broken that "a" executes has an error: line 10: \{SRV\} is neither/,
      ),
    ]);
    expect(findings(execute('lost', {}))).toEqual([
      expect.stringMatching(/^PF041 9: .*holds no child\/plan\.md/),
    ]);
  });
});

describe('the config of an executed plan', () => {
  test('names inputs of that plan, and all that it needs', () => {
    expect(findings(execute('child', { SCR: 'x', MODE: 'slow' }))).toEqual([
      'PF042 10: The plan child has no input SCR. Did you mean SRC?',
      'PF043 10: The plan child needs a value for SRC: where from. Add "SRC" to the config of "a".',
    ]);
    expect(findings('### a\n- plan: shout\n')).toEqual([expect.stringMatching(/^PF043 8: /)]);
    expect(findings(execute('child', { SRC: null }))).toEqual([expect.stringMatching(/^PF043 10: /)]);
  });

  test('is a JSON object', () => {
    expect(findings(execute('child', '["SRC"]'))[0]).toMatch(
      /^PF044 10: The config of "a" is no JSON object/,
    );
  });

  test('hands on whole what travels, and paths as inputs of their own', () => {
    expect(findings(execute('child', { SRC: '{NAME}' }), plans, ['NAME'])).toEqual([]);
    expect(findings(execute('child', { SRC: '{BATCH_PATH}/x {NAME}' }))).toEqual([]);
    expect(findings(execute('child', { SRC: '{NAME}/sub' }), plans, ['NAME'])).toEqual([
      expect.stringMatching(/^PF044 10: SRC holds \{NAME\} within other text/),
    ]);
    expect(findings(execute('child', { SRC: { at: '{BATCH_PATH}' } }))).toEqual([
      expect.stringMatching(/^PF044 10: SRC holds \{BATCH_PATH\} inside a list or an object/),
    ]);
  });

  test('is all that a child batch takes of its task: a timeout belongs to the tasks of its plan', () => {
    const found = findings(
      `${execute('child')}- timeout: 5m\n- env: A=b\n- foreach: [1, 2]\n- batch_size: 2\n- priority: 7\n`,
    );
    expect(found.map((each) => each.slice(0, 9))).toEqual(['PF010 11:', 'PF010 12:', 'PF010 14:']);
  });
});

test('a name that may be a folder or a registered plan is both until it is looked up', () => {
  expect(parseChildPlan('steps')).toEqual({ folder: 'steps', registered: 'steps' });
  expect(parseChildPlan('./steps')).toEqual({ folder: 'steps', registered: null });
  expect(parseChildPlan(' {PLAN_PATH}//a/./b/ ')).toEqual({ folder: 'a/b', registered: null });
  expect(parseChildPlan('..')).toBeNull();
});
