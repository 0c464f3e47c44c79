// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is bash.
import { describe, expect, test } from 'vitest';
import {
  type Diagnostic,
  diagnosticCodes,
  parseDuration,
  parseMaxFailures,
  parsePlan,
  type ValidateOptions,
  validatePlan,
} from '../../../shared-types/src/index.ts';

const head = '# Plan: Test\n\n## Inputs\n\n- **NAME**: who\n- **FLAGS**: more (optional)\n\n## Tasks\n\n';

function validate(tasks: string, options?: ValidateOptions): Diagnostic[] {
  return validatePlan(head + tasks, options).diagnostics;
}

/** Rules and subjects, without what every such plan has. */
function findings(tasks: string, options?: ValidateOptions): string[] {
  return validate(tasks, options)
    .filter(({ rule }) => rule !== 'unused_input' && rule !== 'missing_task_class')
    .map(({ severity, rule, subject }) => `${severity} ${rule}: ${subject}`);
}

const shell = (command: string, more = '') => `### a\n- task_class: cpu\n- command: ${command}\n${more}`;

/** The plan with the fix of its first diagnostic of a rule made. */
function fixed(tasks: string, rule: string): Diagnostic[] {
  const markdown = head + tasks;
  const fix = validatePlan(markdown).diagnostics.find((diagnostic) => diagnostic.rule === rule)?.fix;
  if (fix === undefined) throw new Error(`no fix for ${rule}`);
  const lines = markdown.split('\n');
  const offset = (line: number, column: number) => {
    return lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
  };
  const start = offset(fix.line, fix.column);
  const end = offset(fix.end_line, fix.end_column);
  return validatePlan(markdown.slice(0, start) + fix.replacement + markdown.slice(end)).diagnostics;
}

describe('validatePlan', () => {
  test('misses sections', () => {
    expect(validatePlan('').diagnostics.map(({ subject }) => subject)).toEqual(['Plan', 'Tasks']);
    expect(validatePlan('# Something\n\n## Tasks\n').diagnostics).toMatchObject([
      {
        rule: 'missing_section',
        subject: 'Plan',
        line: 1,
        hint: expect.stringContaining('# Plan: Something'),
      },
      { rule: 'no_tasks', line: 3 },
    ]);
  });

  test.each<[string, string[]]>([
    [shell('`echo {ITEM.id:raw}`', '- foreach: ["x"]\n'), ['error raw_not_allowed: ITEM.id']],
    [shell('`echo {PLAN_PATH:raw}`'), ['error raw_not_allowed: PLAN_PATH']],
    [shell('`echo {NAME:raw}`'), ['warning raw_placeholder: NAME']],
    [shell('`echo "${x:-{NAME}}"`'), ['error unsafe_placeholder: NAME']],
    [shell('`bash -c "echo {NAME}"`'), ['warning value_in_inner_shell: NAME']],
    [shell("`sudo sh -ec 'echo {NAME}'`"), ['warning value_in_inner_shell: NAME']],
    [shell("`eval 'echo {NAME}'`"), ['warning value_in_inner_shell: NAME']],
    [shell(`\`bash -c 'echo "$1"' _ {NAME}\``), []],
    [shell('`python3 -c "print(1)" "{NAME}"`'), []],
    [shell('`[[ $(wc -l < {NAME}) -gt 0 ]]`'), []],
    [
      shell('`echo a`', '- timeout: 0s\n- max_failures: 200%\n'),
      [
        'error invalid_value: timeout 0s',
        'error invalid_value: max_failures 200%',
        'warning wrong_field: max_failures',
      ],
    ],
    [shell('`echo a`', '- command: `echo b`\n'), ['error duplicate_field: command']],
    [shell('`echo a`', '\nSome words.\n\n- priority: 3\n- note: x\n'), ['warning ignored_field: priority']],
    [shell('`echo a`', '- foreach: [1,\n'), ['error invalid_value: foreach [1,']],
    [shell('`echo {ITEM}`', '- foreach: [1,\n'), ['error invalid_value: foreach [1,']],
    [shell('`echo {ITEM}`', '- foreach: [1]\n- batch_size: 2\n'), []],
    [
      shell('`echo {ITEM}`', '- foreach: [1]\n- batch_size: 1001\n'),
      ['error invalid_value: batch_size 1001'],
    ],
    [
      `${shell('`echo {ITEM}`', '- foreach: {BATCH_PATH}/m.json:a\n- batch_size: 4\n- depends_on: none\n')}\n### b\n- task_class: cpu\n- command: \`echo {ITEM}\`\n- foreach: {BATCH_PATH}/m.json:$.a[*]\n- batch_size: 3\n- depends_on: a_{ITEM.id}\n`,
      ['warning foreach_unproduced: a'],
    ],
    [shell('`echo a`', '- depends_on: a_{ITEM.id}\n'), ['error cycle: a -> a']],
    [shell('`echo a`', '- env:\n  - A=1\n  - nonsense\n'), ['error invalid_value: env nonsense']],
    [shell('`echo a`', '- env: CUDA_VISIBLE_DEVICES=1\n'), ['warning hardcoded_gpu: a']],
    [shell('`CUDA_VISIBLE_DEVICES= python x.py`'), []],
    [
      '### a\n- task_class: meta\n- command: load_split_llm\n',
      ['warning not_supported_yet: type meta', 'error invalid_value: command load_split_llm'],
    ],
    [
      '### a\n- type: decide\n- prompt: Which?\n- llm_model: m\n',
      ['warning not_supported_yet: llm_model', 'warning not_supported_yet: type decide'],
    ],
    ['### 1. make it so\n- task_class: cpu\n- command: `x`\n', ['error invalid_id: 1. make it so']],
  ])('%j', (tasks, expected) => {
    expect(findings(tasks).sort()).toEqual([...expected].sort());
  });

  test('reports two cycles that share a task, each once', () => {
    const tasks = ['a: b', 'b: a, c', 'c: b'].map((edge) => {
      const [id, on] = edge.split(': ');
      return `### ${id}\n- task_class: cpu\n- command: \`x\`\n- depends_on: ${on}\n`;
    });
    expect(findings(tasks.join(''))).toEqual(['error cycle: a -> b -> a', 'error cycle: b -> c -> b']);
  });

  test('looks for scripts among the files, when these are known', () => {
    const tasks = shell(
      '`python {PLAN_PATH}/scripts/scna.py && {PLAN_PATH}/.venv/bin/x.py {PLAN_PATH}/a.csv`',
    );
    expect(findings(tasks)).toEqual([]);
    expect(validate(tasks, { files: ['scripts/scan.py'] })).toContainEqual(
      expect.objectContaining({
        rule: 'missing_script',
        subject: 'scripts/scna.py',
        suggest: 'scripts/scan.py',
      }),
    );
    expect(findings(tasks, { files: ['scripts/scna.py'] })).toEqual([]);
  });

  test('compares given inputs with those of the plan', () => {
    const tasks = shell('`echo {NAME}{FLAGS}`');
    expect(findings(tasks, { inputs: {} })).toEqual(['error missing_input: NAME']);
    expect(findings(tasks, { inputs: { NAME: '' } })).toEqual([]);
    expect(findings(tasks, { inputs: { NAME: 'x', FLAG: '' } })).toEqual(['error unknown_input: FLAG']);
    expect(findings(tasks, { inputs: { NAME: 'a\0' } })).toEqual(['error invalid_input: NAME']);
    expect(findings(shell('`echo`'), { inputs: {} })).toEqual([]);
  });

  test('knows before it runs that text cannot be calculated with', () => {
    const tasks = shell('`echo $(( {NAME} + 1 ))`');
    expect(findings(tasks)).toEqual([]);
    expect(findings(tasks, { inputs: { NAME: '5' } })).toEqual([]);
    expect(findings(tasks, { inputs: { NAME: 'a[$(id)]' } })).toEqual(['error not_a_number: NAME']);
    expect(findings(shell('`[[ {FLAGS} -eq 1 ]]`'))).toEqual(['error not_a_number: FLAGS']);
  });

  test('reads a command of bullets', () => {
    const tasks = '### a\n- task_class: cpu\n- command:\n  - echo a\n  - echo {NAM}\n  - echo "b\n';
    expect(findings(tasks)).toEqual(['error unbalanced_quote: a', 'error unresolved_placeholder: NAM']);
    expect(validate(tasks).at(-1)).toMatchObject({ line: 14, column: 10 });
  });

  test('gives fixes that work', () => {
    const rules = (diagnostics: Diagnostic[]) =>
      diagnostics.map(({ rule }) => rule).filter((rule) => rule !== 'unused_input');
    expect(rules(fixed('### a\n*\tcommand: `x`\n', 'missing_task_class'))).toEqual([]);
    expect(
      rules(fixed('### a\n- task_class: cpu\n- command: `x`\n- **depend_on**: none\n', 'unknown_key')),
    ).toEqual([]);
    expect(rules(fixed(shell('`echo {NAM}`'), 'unresolved_placeholder'))).toEqual([]);
    expect(
      rules(
        fixed(
          `${shell('`x`')}### bcd\n- task_class: cpu\n- command: \`x\`\n- depends_on: a, bdc\n`,
          'unknown_dependency',
        ),
      ),
    ).toEqual(['cycle']);
  });

  test('places what stands inside a fence', () => {
    const [found] = validate(
      '### a\n- task_class: cpu\n- command:\n\n  ```sh\n  echo a\n  echo {NAM}\n  ```\n',
    );
    expect(found).toMatchObject({ rule: 'unused_input' });
    const placeholder = validate(
      '### a\n- task_class: cpu\n- command:\n\n  ```sh\n  echo a\n  echo {NAM}\n  ```\n',
    ).at(-1);
    expect(placeholder).toMatchObject({ rule: 'unresolved_placeholder', line: 16, column: 8 });
  });

  test('says where a quote is opened', () => {
    const quote = validate('### a\n- task_class: cpu\n- command:\n  ```sh\n  echo a\n  echo "b\n  ```\n').at(
      -1,
    );
    expect(quote).toMatchObject({ rule: 'unbalanced_quote', line: 12 });
    expect(quote?.message).toContain('line 15, column 8');
  });
});

describe('parsePlan', () => {
  test('keeps the position of every field and value', () => {
    const [task] = parsePlan(`${head}### a (b)\n- task_class: cpu\n-   **command**: \`x {NAME}\`\n`).tasks;
    expect(task?.position).toEqual({ line: 10, column: 1 });
    expect(task?.fields['command']).toEqual({ line: 12, column: 1, value_line: 12, value_column: 19 });
    expect(task?.placeholders).toMatchObject([{ name: 'NAME', field: 'command', line: 12, column: 21 }]);
  });

  test('takes inline code for the command and leaves the remark behind it', () => {
    expect(parsePlan(head + shell('`date` (quick)')).tasks[0]?.command).toBe('date');
  });

  test('knows which inputs are used', () => {
    const plan = parsePlan(
      `${head.replace('## Tasks', '## Setup\n\n```sh\nx {FLAGS}\n```\n\n## Tasks')}${shell('`x`')}`,
    );
    expect(plan.inputs.map(({ name, used }) => [name, used])).toEqual([
      ['NAME', false],
      ['FLAGS', true],
    ]);
    expect(plan.setup).toBe('x {FLAGS}');
  });
});

describe('values', () => {
  test('durations', () => {
    expect(['90s', '20m', '6h', '1h30m', '1.5h', '2 min', '1d'].map(parseDuration)).toEqual([
      90_000, 1_200_000, 21_600_000, 5_400_000, 5_400_000, 120_000, 86_400_000,
    ]);
    expect(['', '5', '0s', '-1s', '20 parsecs', 's', '1e3s', '1mm'].map(parseDuration)).toEqual(
      Array(8).fill(null),
    );
  });

  test('failures', () => {
    expect(['5', '10%', '0', '2.5%'].map(parseMaxFailures)).toEqual([
      { count: 5 },
      { percent: 10 },
      { count: 0 },
      { percent: 2.5 },
    ]);
    expect(['', 'x', '101%', '1.5', '-1'].map(parseMaxFailures)).toEqual(Array(5).fill(null));
  });

  test('codes are unique', () => {
    const codes = Object.values(diagnosticCodes).map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('values of inputs', () => {
  const plan = (marks: string) =>
    `# Plan: Test\n\n## Inputs\n- **DATA**: data ${marks}\n\n## Tasks\n${shell('`cat {DATA}`')}`;
  const rules = (marks: string, options: ValidateOptions) =>
    validatePlan(plan(marks), options).diagnostics.map(({ severity, rule }) => `${severity} ${rule}`);

  test.each(['(file)', '(folder)'])('a relative path for %s is refused, unless it is sent along', (mark) => {
    for (const DATA of ['data', './data', '@./data', '~/data']) {
      expect(rules(mark, { inputs: { DATA } })).toEqual(['error invalid_input']);
      expect(rules(mark, { inputs: { DATA }, travelling: ['DATA'] })).toEqual([]);
    }
    expect(rules(mark, { inputs: { DATA: '/data' } })).toEqual([]);
    expect(rules(`${mark} (optional)`, { inputs: { DATA: '' } })).toEqual([]);
    expect(validatePlan(plan(mark), { inputs: { DATA: 'x' } }).diagnostics[0]?.hint).toBe(
      'Write -i DATA=@./path to send it, or an absolute path that exists on the machine.',
    );
  });

  test('a placeholder in a value is doubted, since it is passed as it is written', () => {
    expect(rules('(default: {BATCH_PATH}/x)', {})).toEqual(['warning placeholder_in_value']);
    expect(rules('', { inputs: { DATA: '{DATA}' } })).toEqual(['warning placeholder_in_value']);
    expect(rules('(default: {BATCH_PATH}/x)', { inputs: { DATA: '{YEAR} ${HOME}' } })).toEqual([]);
  });

  test('an id that no file could be named after is refused', () => {
    const taskOf = (id: string) => `### ${id}\n- task_class: cpu\n- command: true\n`;
    expect(findings(taskOf('a'.repeat(100)))).toEqual([]);
    expect(findings(taskOf('a'.repeat(101)))).toEqual([`error invalid_id: ${'a'.repeat(101)}`]);
  });

  test('a command of 200 KB in a fence is read; as much prose between two headings is refused, with its place', () => {
    const script = 'echo "some words" && true | cat\n'.repeat(6_500);
    const { plan, diagnostics } = validatePlan(
      `# Plan: P\n\n## Tasks\n\n### a\n- task_class: cpu\n- command:\n\n\`\`\`bash\n${script}\`\`\`\n`,
    );
    expect(diagnostics).toEqual([]);
    expect(`${plan.tasks[0]?.command}\n`).toBe(script);
    expect(
      findings(`### a\n- task_class: cpu\n- command: true\n\n${'- some words\n'.repeat(20_000)}`)[0],
    ).toContain('error plan_too_large');
  });
});
