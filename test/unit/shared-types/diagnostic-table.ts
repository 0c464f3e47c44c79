// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is bash.
import type { DiagnosticRule, ValidateOptions } from '../../../shared-types/src/index.ts';

/** The smallest plan with a fault. */
export interface DiagnosticExample {
  readonly plan: string;
  readonly options?: ValidateOptions;
  /** Line and column. */
  readonly at: readonly [number, number];
  /** What stands in the plan once it is fixed; or why no edit is offered. */
  readonly fixed: string | { readonly none: string };
}

/** Tasks start in line 5. */
const tasks = (text: string) => `# Plan: x\n\n## Tasks\n\n${text}`;
const task = (id: string, command: string, more = '') =>
  `### ${id}\n- **task_class**: cpu\n- **command**: \`${command}\`\n${more}`;
/** The input stands in line 5, the command in line 11. */
const withInput = (input: string, command: string) =>
  `# Plan: x\n\n## Inputs\n\n${input}\n\n## Tasks\n\n${task('a', command)}`;

const child = (plan: string, config: string) => `### a\n- **plan**: ${plan}\n- **config**: \`${config}\`\n`;
const CHILD = '# Plan: Child\n\n## Inputs\n- **SRC**: s\n- **WORD**: w (default: x)\n\n## Tasks\n';
const knownChild: ValidateOptions = {
  plans: {
    folders: new Map([
      ['child', CHILD + task('a', 'echo {SRC} {WORD}')],
      ['broken', CHILD + task('a', 'echo {SRV} {WORD}')],
    ]),
    registered: new Map([['elsewhere', null]]),
  },
};

const ofSubmission = { none: 'the cause is in what was given at submission, not in plan.md' };

export const examples: Readonly<Record<DiagnosticRule, readonly DiagnosticExample[]>> = {
  missing_section: [
    { plan: `# x\n\n## Tasks\n\n${task('a', 'true')}`, at: [1, 1], fixed: '# Plan: x\n' },
    { plan: `# Plan x\n\n## Tasks\n\n${task('a', 'true')}`, at: [1, 1], fixed: '# Plan: x\n' },
    { plan: `## Tasks\n\n${task('a', 'true')}`, at: [1, 1], fixed: '# Plan: What it does\n\n## Tasks\n' },
    {
      plan: '# Plan: x\n',
      at: [1, 1],
      fixed: '# Plan: x\n\n## Tasks\n\n### first_task\n- **task_class**: cpu\n',
    },

    { plan: `# Plan: x\n\n${task('a', 'true')}`, at: [1, 1], fixed: '# Plan: x\n\n## Tasks\n\n### a\n' },
  ],
  no_tasks: [{ plan: tasks(''), at: [3, 1], fixed: '## Tasks\n\n### first_task\n- **task_class**: cpu\n' }],
  invalid_id: [
    {
      plan: tasks(task('1. make it so', 'true') + task('b', 'true', '- **depends_on**: 1. make it so\n')),
      at: [5, 1],
      fixed: '### make_it_so\n',
    },
    { plan: tasks(task('x'.repeat(120), 'true')), at: [5, 1], fixed: `### ${'x'.repeat(90)}\n` },
    {
      plan: tasks(task('日本', 'true')),
      at: [5, 1],
      fixed: { none: 'no letter is left to make an id of' },
    },
  ],
  duplicate_id: [
    {
      plan: tasks(task('a', 'true') + task('a_2', 'true') + task('a', 'false')),
      at: [11, 1],
      fixed: '### a_3\n',
    },
  ],
  heading_without_fields: [
    {
      plan: tasks(`${task('a', 'true')}\n### Thoughts\nSome words.\n`),
      at: [9, 1],
      fixed: { none: 'what the task is to do is not written anywhere' },
    },
    {
      plan: tasks(`${task('a', 'true')}\n### b\n\`\`\`bash\ntrue\n\`\`\`\n`),
      at: [9, 1],
      fixed: '### b\n- **task_class**: cpu\n- **command**:\n```bash\n',
    },
  ],
  unknown_key: [
    { plan: tasks(task('a', 'true', '- **priorty**: 3\n')), at: [8, 1], fixed: '- **priority**: 3\n' },
    {
      plan: tasks('### a\n- **task_class**: cpu\n- **cmd**: `true`\n'),
      at: [7, 1],
      fixed: '- **command**: `true`\n',
    },
    {
      plan: tasks(task('a', 'true', '- **colour**: red\n')),
      at: [8, 1],
      fixed: { none: 'no field is near' },
    },
  ],
  duplicate_field: [
    {
      plan: tasks(task('a', 'true', '- **timeout**: 5m\n- **timeout**: 6m\n')),
      at: [9, 1],
      fixed: '- **timeout**: 5m\n',
    },
    {
      plan: tasks(task('a', 'true', '- **command**: `false`\n')),
      at: [8, 1],
      fixed: { none: 'which of two commands is meant is not known' },
    },
    {
      plan: tasks(
        task('a', 'true', `- **timeout**: 5m\n${task('b', 'false', '- **timeout**: 6m\n').slice(6)}`),
      ),
      at: [9, 1],
      fixed: { none: 'the id of the task is not known' },
    },
  ],
  invalid_value: [
    {
      plan: tasks(task('a', 'true', '- **labels**: a100 big-disk\n')),
      at: [8, 15],
      fixed: '- **labels**: a100, big-disk\n',
    },
    {
      plan: tasks(task('a', 'true', '- **secrets**: HF_TOKEN, my-key\n')),
      at: [8, 16],
      fixed: { none: 'the name that the machine has is not known' },
    },
    { plan: tasks(task('a', 'true', '- **priority**: 11\n')), at: [8, 17], fixed: '- **priority**: 10\n' },
    {
      plan: tasks(task('a', 'true', '- **max_attempts**: 0\n')),
      at: [8, 21],
      fixed: '- **max_attempts**: 1\n',
    },
    {
      plan: tasks(task('a', 'true', '- **timeout**: 20 minuts\n')),
      at: [8, 16],
      fixed: '- **timeout**: 20m\n',
    },
    {
      plan: tasks(task('a', 'true', '- **timeout**: 20\n')),
      at: [8, 16],
      fixed: { none: 'seconds or minutes: the plan does not say' },
    },
    {
      plan: tasks('### a\n- task_class: gpu\n- command: `true`\n'),
      at: [6, 15],
      fixed: '- task_class: script\n',
    },
    {
      plan: tasks(task('a', 'true', '- **executor**: agent\n')),
      at: [8, 17],
      fixed: '- **executor**: worker\n',
    },
    {
      plan: tasks(task('a', 'true', '- **foreach**: ["a", "b",]\n')),
      at: [8, 16],
      fixed: '- **foreach**: ["a", "b"]\n',
    },
    {
      plan: tasks(task('a', 'true', "- **foreach**: ['a', 'b']\n")),
      at: [8, 16],
      fixed: '- **foreach**: ["a", "b"]\n',
    },
    { plan: tasks(task('a', 'true', '- **env**: A: 1\n')), at: [8, 12], fixed: '- **env**: A=1\n' },
    {
      plan: tasks('### a\n- task_class: meta\n- command: load_split_llm\n- llm_model: m\n'),
      at: [7, 12],
      fixed: '- command: load_llm\n- **llm_placement**: split_gpu\n',
    },
    {
      plan: tasks('### a\n- task_class: meta\n- command: reset_gpu_runtime\n'),
      at: [7, 12],
      fixed: { none: 'the whole task goes, and others may wait for it' },
    },
  ],
  missing_field: [
    {
      plan: tasks('### a\n- **task_class**: cpu\n'),
      at: [5, 1],
      fixed: { none: 'what the task is to do is not written anywhere' },
    },
    {
      plan: tasks('### a\n- **type**: shell\n- **prompt**: Why?\n'),
      at: [5, 1],
      fixed: '- **type**: generate\n',
    },
  ],
  wrong_field: [
    { plan: tasks(task('a', 'true', '- **max_failures**: 5\n')), at: [8, 1], fixed: '`true`\n' },
    {
      plan: tasks(task('a', 'true', '- **vram_policy**: fixed\n')),
      at: [8, 1],
      fixed: { none: 'either the field is wrong, or the class of the task' },
    },
  ],
  missing_task_class: [
    {
      plan: tasks('### a\n* command: `true`\n'),
      at: [5, 1],
      fixed: '### a\n* **task_class**: cpu\n* command',
    },
  ],
  ignored_field: [
    {
      plan: tasks(task('a', 'true', '\nSome words.\n\n- **timeout**: 5m\n')),
      at: [11, 1],
      fixed: '`true`\n- **timeout**: 5m\n\nSome words.\n\n',
    },
  ],
  ignored_text: [
    {
      plan: tasks('### a\n- task_class: cpu\n- command: `true` and `false`\n'),
      at: [7, 1],
      fixed: { none: 'how the pieces belong together is not known' },
    },
  ],
  unknown_dependency: [
    {
      plan: tasks(task('scan', 'true') + task('b', 'true', '- **depends_on**: scna\n')),
      at: [11, 19],
      fixed: '- **depends_on**: scan\n',
    },
    {
      plan: tasks(task('a', 'true') + task('b', 'true') + task('c', 'true', '- **depends_on**: a and b\n')),
      at: [14, 19],
      fixed: '- **depends_on**: a, b\n',
    },
    {
      plan: tasks(task('a', 'true', '- **depends_on**: publish\n')),
      at: [8, 19],
      fixed: { none: 'no task is near' },
    },
  ],
  cycle: [
    { plan: tasks(task('a', 'true', '- **depends_on**: a\n')), at: [8, 1], fixed: '`true`\n' },
    {
      plan: tasks(task('a', 'true', '- **depends_on**: b\n') + task('b', 'true', '- **depends_on**: a\n')),
      at: [8, 1],
      fixed: '`true`\n### b\n- **task_class**: cpu\n- **command**: `true`\n- **depends_on**: a\n',
    },
    {
      plan: tasks(
        task('a', 'true', '- **depends_on**: b\n') +
          task('b', 'true', '- **depends_on**: c\n') +
          task('c', 'true', '- **depends_on**: a\n'),
      ),
      at: [8, 1],
      fixed: { none: 'two dependencies go against the order of the plan' },
    },
  ],
  item_dependency_across_lists: [
    {
      plan: tasks(task('scan', 'true') + task('b', 'true', '- **depends_on**: scan_{ITEM.id}\n')),
      at: [11, 19],
      fixed: '- **depends_on**: scan\n',
    },
  ],
  foreach_unproduced: [
    {
      plan: tasks(
        task('scan', 'ls > {BATCH_PATH}/l.csv') + task('b', 'true', '- **foreach**: {BATCH_PATH}/l.csv\n'),
      ),
      at: [11, 1],
      fixed: '- **foreach**: {BATCH_PATH}/l.csv\n- **depends_on**: scan\n',
    },
    {
      plan: tasks(task('b', 'true', '- **foreach**: {BATCH_PATH}/l.csv\n')),
      at: [8, 1],
      fixed: { none: 'no task names the file' },
    },
  ],
  unresolved_placeholder: [
    { plan: withInput('- **WORD**: w', 'echo {WROD} {WORD}'), at: [11, 22], fixed: 'echo {WORD} {WORD}' },
    {
      plan: tasks(task('a', 'echo {COLOUR}')),
      at: [7, 22],
      fixed: '## Inputs\n\n- **COLOUR**: what it is\n\n## Tasks',
    },
    {
      plan: tasks(task('a', 'echo {ITEM.id}')),
      at: [7, 22],
      fixed: { none: 'the list of items is not known' },
    },
  ],
  raw_placeholder: [
    {
      plan: withInput('- **WORD**: w', 'echo {WORD:raw}'),
      at: [11, 22],
      fixed: { none: 'it may be what the author wants' },
    },
  ],
  raw_not_allowed: [{ plan: tasks(task('a', 'ls {PLAN_PATH:raw}')), at: [7, 20], fixed: 'ls {PLAN_PATH}`' }],
  unsafe_placeholder: [
    {
      plan: withInput('- **WORD**: w', 'echo "${x:-{WORD}}"'),
      at: [11, 28],
      fixed: '`WORD={WORD}; echo "${x:-$WORD}"`',
    },
    {
      plan: withInput('- **WORD**: w', 'unset {WORD}'),
      at: [11, 23],
      fixed: { none: 'only its author knows which variable is meant' },
    },
  ],
  unbalanced_quote: [
    {
      plan: tasks('### a\n- task_class: cpu\n- command: echo a`\n'),
      at: [7, 18],
      fixed: '- command: `echo a`\n',
    },
    {
      plan: tasks('### a\n- task_class: cpu\n- command: `echo a\n'),
      at: [7, 12],
      fixed: '- command: `echo a`\n',
    },

    { plan: tasks(task('a', 'echo "open')), at: [7, 22], fixed: 'echo "open"`' },
    { plan: tasks(task('a', 'echo $(date')), at: [7, 22], fixed: 'echo $(date)`' },
    { plan: tasks(task('a', "echo don't panic")), at: [7, 25], fixed: "echo don\\'t panic`" },
    {
      plan: tasks(task('a', 'grep "a b > c')),
      at: [7, 22],
      fixed: { none: 'past a blank the end of the quote may be anywhere' },
    },
  ],
  hardcoded_gpu: [
    { plan: tasks(task('a', 'CUDA_VISIBLE_DEVICES=1 python x.py')), at: [7, 1], fixed: '`python x.py`' },
    { plan: tasks(task('a', 'export CUDA_VISIBLE_DEVICES=0,1 && x')), at: [7, 1], fixed: '`x`' },
    {
      plan: tasks(task('a', 'true', '- **env**: A=1, CUDA_VISIBLE_DEVICES=1\n')),
      at: [8, 1],
      fixed: '- **env**: A=1\n',
    },
  ],
  missing_script: [
    {
      plan: tasks(task('a', 'sh {PLAN_PATH}/scripts/rnu.sh')),
      options: { files: ['scripts/run.sh'] },
      at: [7, 32],
      fixed: '/scripts/run.sh`',
    },
    {
      plan: tasks(task('a', 'sh {PLAN_PATH}/x.sh')),
      options: { files: [] },
      at: [7, 32],
      fixed: { none: 'no file is near' },
    },
  ],
  builtin_as_input: [{ plan: withInput('- **PLAN_PATH**: p', 'true'), at: [5, 1], fixed: '## Inputs\n\n\n' }],
  invalid_input_name: [
    { plan: withInput('- **word**: w', 'echo {WORD} {word}'), at: [5, 1], fixed: 'echo {WORD} {WORD}' },
    {
      plan: withInput('- **Model  name**: w', 'echo {MODEL_NAME}'),
      at: [5, 1],
      fixed: '- **MODEL_NAME**: w',
    },
    {
      plan: withInput('- **plan_path**: w', 'true'),
      at: [5, 1],
      fixed: { none: 'the name in capitals is taken by planfleet' },
    },
  ],
  duplicate_input: [
    {
      plan: withInput('- **WORD**: w\n- **WORD**: v', 'echo {WORD}'),
      at: [6, 1],
      fixed: '- **WORD**: w\n\n## Tasks',
    },
  ],
  unused_input: [
    {
      plan: withInput('- **WORD**: w', 'echo WORD}'),
      at: [5, 1],
      fixed: { none: 'its braces may be what is missing' },
    },
    { plan: withInput('- **WORD**: w', 'true'), at: [5, 1], fixed: '## Inputs\n\n\n' },
  ],
  unknown_input: [
    { plan: tasks(task('a', 'true')), options: { inputs: { X: '' } }, at: [1, 1], fixed: ofSubmission },
  ],
  missing_input: [
    {
      plan: withInput('- **WORD**: w', 'echo {WORD}'),
      options: { inputs: {} },
      at: [5, 1],
      fixed: ofSubmission,
    },
  ],
  not_supported_yet: [
    {
      plan: tasks(task('a', 'true', '- **evaluate**: is it right\n')),
      at: [8, 1],
      fixed: { none: 'nothing in the plan is wrong' },
    },
  ],
  plan_too_large: [
    { plan: 'x'.repeat(400_001), at: [1, 1], fixed: { none: 'what to move out is for the author to say' } },
  ],
  invalid_input: [
    {
      plan: withInput('- **DATA**: d (file)', 'cat {DATA}'),
      options: { inputs: { DATA: 'x' } },
      at: [5, 1],
      fixed: ofSubmission,
    },
  ],
  value_in_inner_shell: [
    {
      plan: withInput('- **WORD**: w', 'bash -c "echo {WORD}"'),
      at: [11, 31],
      fixed: { none: 'quotes in quotes would have to be written anew' },
    },
  ],
  not_a_number: [
    {
      plan: withInput('- **N**: n (default: x)', 'echo $(( {N} + 1 ))'),
      at: [11, 26],
      fixed: { none: 'which number is meant is not known' },
    },
  ],
  placeholder_in_value: [
    {
      plan: withInput('- **DIR**: d (default: {BATCH_PATH}/x)', 'ls {DIR}'),
      at: [5, 1],
      fixed: { none: 'the value of an input is used in more than one place' },
    },
  ],
  near_placeholder: [
    { plan: tasks(task('a', 'ls {plan_path}')), at: [7, 20], fixed: 'ls {PLAN_PATH}`' },
    { plan: tasks(task('a', 'ls { BATCH_PATH }')), at: [7, 20], fixed: 'ls {BATCH_PATH}`' },
  ],
  near_section: [
    { plan: `# Plan: x\n\n# Tasks\n\n${task('a', 'true')}`, at: [3, 1], fixed: '\n## Tasks\n' },
    { plan: `# Plan: x\n\n## Task\n\n${task('a', 'true')}`, at: [3, 1], fixed: '## Tasks\n' },
    {
      plan: withInput('- **WORD**: w', 'echo {WORD}').replace('## Inputs', '## Input'),
      at: [3, 1],
      fixed: '## Inputs\n',
    },
  ],
  missing_item_field: [
    {
      plan: tasks(task('a', 'echo {ITEM.id}', '- **foreach**: ["x"]\n')),
      at: [7, 22],
      fixed: 'echo {ITEM}`',
    },
    {
      plan: tasks(task('a', 'echo {ITEM.id}', '- **foreach**: [{"n": 1}]\n')),
      at: [7, 22],
      fixed: { none: 'which of the fields is meant is not known' },
    },
  ],
  unknown_child_plan: [
    {
      plan: tasks(child('{PLAN_PATH}/chlid', '{"SRC": "1"}')),
      options: knownChild,
      at: [6, 1],
      fixed: '- **plan**: {PLAN_PATH}/child\n',
    },
    {
      plan: tasks(child('elsewhere', '{}')),
      options: knownChild,
      at: [6, 1],
      fixed: { none: 'no folder of a plan is near' },
    },
  ],
  invalid_child_plan: [
    {
      plan: tasks(child('broken', '{}')),
      options: knownChild,
      at: [6, 1],
      fixed: { none: 'the error is in another plan.md' },
    },
  ],
  unknown_child_input: [
    {
      plan: tasks(child('child', '{"SRC": "1", "WODR": "2"}')),
      options: knownChild,
      at: [7, 1],
      fixed: '{"SRC": "1", "WORD": "2"}',
    },
    {
      plan: tasks(child('child', '{"SRC": "1", "COLOUR": "2"}')),
      options: knownChild,
      at: [7, 1],
      fixed: { none: 'no input is near' },
    },
  ],
  missing_child_input: [
    {
      plan: tasks(child('child', '{}')),
      options: knownChild,
      at: [7, 1],
      fixed: { none: 'the value is not known' },
    },
  ],
  invalid_child_config: [
    {
      plan: tasks(child('child', '{"SRC": ["{BATCH_PATH}/x"]}')),
      options: knownChild,
      at: [7, 1],
      fixed: { none: 'how the executed plan would take it is not known' },
    },
  ],
  heading_depth: [
    {
      plan: tasks(`${task('a', 'true')}\n${task('b', 'true').slice(1)}`),
      at: [9, 1],
      fixed: '\n### b\n',
    },
  ],
  near_field: [
    {
      plan: tasks('### a\n- **task_class**: cpu\n- **command** `true`\n'),
      at: [7, 1],
      fixed: '- **command**: `true`\n',
    },
    { plan: tasks(task('a', 'true', '- **timeout*: 5m\n')), at: [8, 1], fixed: '- **timeout**: 5m\n' },
    {
      plan: tasks('### a\n- **executor**: worker\n **task_class**: cpu\n- **command**: `true`\n'),
      at: [7, 2],
      fixed: '- **executor**: worker\n- **task_class**: cpu\n',
    },
    {
      plan: tasks(task('a', 'true', '- **timeout**: 5m\n- **timeout** 6m\n')),
      at: [9, 1],
      fixed: { none: 'the task has the field already' },
    },
  ],
};
