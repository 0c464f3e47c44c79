import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet } from '../support/fleet.ts';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer();
  await fleet.adminToken();
  await fleet.startAgent('worker', { slots: 3 });
});
afterAll(() => fleet.close());

const task = (id: string, command: string, fields: readonly string[] = []) =>
  `### ${id}\n- **task_class**: cpu\n- **command**: \`${command}\`\n${fields.map((field) => `- ${field}\n`).join('')}`;
const plan = (...tasks: string[]) =>
  `# Plan: Test\n\n## Inputs\n\n- **OUT**: where\n\n## Tasks\n\n${tasks.join('\n')}`;
const linesOf = (file: string) => readFileSync(file, 'utf8').trim().split('\n');

async function run(markdown: string, inputs: Record<string, string> = {}) {
  const id = await fleet.submit(markdown, inputs);
  const { state } = await fleet.untilEnded(id);
  const names = (await fleet.tasks(id)).map((each) => `${each.name} ${each.state}`);
  return { id, state, names };
}

test('items run in groups, each stage in groups of its own size, and each after its own items', async () => {
  const out = fleet.path('groups');
  const list = '**foreach**: {BATCH_PATH}/m.json:data.clips';
  const { state, names } = await run(
    plan(
      task(
        'scan',
        'node -e \'console.log(JSON.stringify({data:{clips:[..."abcdefg"].map((id)=>({id}))}}))\' > {BATCH_PATH}/m.json',
      ),
      task('cut', 'echo cut {ITEM.id} {ITEM_INDEX} >> {OUT}', [
        list,
        '**batch_size**: 2',
        '**depends_on**: scan',
      ]),
      task('mix', 'echo mix {ITEM.id} {ITEM_INDEX} >> {OUT}', [
        list,
        '**batch_size**: 3',
        '**depends_on**: cut_{ITEM.id}',
      ]),
      task('tag', 'echo tag {ITEM.id} {ITEM_INDEX} >> {OUT}', [list, '**depends_on**: mix_{ITEM.id}']),
      task('end', 'echo end >> {OUT}', ['**depends_on**: tag']),
    ),
    { OUT: out },
  );
  expect(state).toBe('succeeded');
  expect(names.map((name) => name.replace(' succeeded', ''))).toEqual([
    'scan',
    ...['cut_batch_0001_0002', 'cut_batch_0003_0004', 'cut_batch_0005_0006', 'cut_batch_0007_0007'],
    ...['mix_batch_0001_0003', 'mix_batch_0004_0006', 'mix_batch_0007_0007'],
    ...[...'abcdefg'].map((id) => `tag_${id}`),
    'end',
  ]);
  const lines = linesOf(out);
  const at = (step: string, id: string) => lines.indexOf(`${step} ${id} ${'abcdefg'.indexOf(id)}`);
  expect(lines).toHaveLength(22);
  expect(lines.at(-1)).toBe('end');
  for (const id of 'abcdefg') {
    expect(at('cut', id)).toBeGreaterThanOrEqual(0);
    expect(at('mix', id)).toBeGreaterThan(at('cut', id));
    expect(at('tag', id)).toBeGreaterThan(at('mix', id));
  }
  // Within a group in order, and the whole group of mix after all groups of cut that share an item with it.
  expect(at('cut', 'b')).toBeGreaterThan(at('cut', 'a'));
  expect(at('mix', 'a')).toBeGreaterThan(at('cut', 'd'));
});

test('a group that fails is tried again from its first item, and says which item it was', async () => {
  const out = fleet.path('again');
  const { id, state } = await run(
    plan(
      task(
        'each',
        'echo {ITEM} >> {OUT}; [ {ITEM} != y ] || [ -e {OUT}.once ] || { touch {OUT}.once; exit 4; }',
        ['**foreach**: ["x", "y", "z"]', '**batch_size**: 3'],
      ),
    ),
    { OUT: out },
  );
  expect(state).toBe('succeeded');
  expect(linesOf(out)).toEqual(['x', 'y', 'x', 'y', 'z']);
  const detail = await fleet.task(`${id}:each:0`);
  expect(detail).toMatchObject({ name: 'each_batch_0001_0003', attempts: 2, items: ['x', 'y', 'z'] });
  expect(detail.history[0]?.message).toBe('Item 2: The command ended with exit code 4 (2 of 3 in its group)');
  const shown = await fleet.cli(['task', `${id}:each`]);
  expect(shown.stdout).toContain('each_batch_0001_0003');
});

test('abandoned groups count as their items against max_failures', async () => {
  const tasks = (allowed: string) =>
    plan(
      task('each', '[ {ITEM} != 3 ]', [
        '**foreach**: [1, 2, 3, 4, 5, 6, 7, 8]',
        '**batch_size**: 2',
        '**max_attempts**: 1',
        `**max_failures**: ${allowed}`,
      ]),
      task('after', 'echo {OUT}', ['**depends_on**: each']),
    );
  expect((await run(tasks('25%'), { OUT: 'x' })).state).toBe('succeeded');
  expect((await run(tasks('1'), { OUT: 'x' })).state).toBe('failed');
});

test('a list that lies in the plan folder is read, as CSV with its quotes and line ends', async () => {
  const folder = fleet.makeFolder('plans', 'csv');
  writeFileSync(`${folder}/clips.csv`, '\uFEFFid,title\r\na/1,"one, ""two"""\r\nb,three\r\na/1,again\r\n');
  const out = fleet.path('csv.txt');
  writeFileSync(
    `${folder}/plan.md`,
    plan(task('each', 'echo {ITEM.id}={ITEM.title} >> {OUT}', ['**foreach**: {PLAN_PATH}/clips.csv'])),
  );
  const result = await fleet.cli(['submit', folder, '-i', `OUT=${out}`, '--watch', '--json']);
  expect(result.code, result.stderr + result.stdout).toBe(0);
  expect(linesOf(out).sort()).toEqual(['a/1=again', 'a/1=one, "two"', 'b=three']);
  const id = /\d{8}_\d{6}[\w-]*/.exec(result.stdout)?.[0] ?? '';
  const names = (await fleet.tasks(id)).filter((each) => each.stage === 'each').map((each) => each.name);
  expect(names[1]).toBe('each_b');
  expect(names[0]).toMatch(/^each_a_1_[0-9a-f]{8}$/);
  expect(names[2]).toBe(`${names[0]}_2`);
});

test('an empty list is a success that can be seen, and what comes after runs', async () => {
  const out = fleet.path('empty');
  const { id, state, names } = await run(
    plan(
      task('scan', `echo "[]" > {BATCH_PATH}/m.json`),
      task('each', 'false {ITEM}', [
        '**foreach**: {BATCH_PATH}/m.json',
        '**batch_size**: 4',
        '**depends_on**: scan',
      ]),
      task('inline', 'false {ITEM}', ['**foreach**: []', '**depends_on**: each']),
      task('end', 'echo end >> {OUT}', ['**depends_on**: inline']),
    ),
    { OUT: out },
  );
  expect({ state, names }).toEqual({ state: 'succeeded', names: ['scan succeeded', 'end succeeded'] });
  expect((await fleet.stages(id)).get('each')).toMatchObject({ state: 'done', total: 0, expanded: true });
  expect(linesOf(out)).toEqual(['end']);
});

test.each([
  ['the file is not there', 'true', 'm.json:clips', 'm.json is not there'],
  ['it is not JSON', 'echo "{clips" > {BATCH_PATH}/m.json', 'm.json:clips', 'is not JSON, line 1, column 2'],
  [
    'the place is not there',
    `echo '{"videos":[],"n":1}' > {BATCH_PATH}/m.json`,
    'm.json:clips',
    'an object with videos, n',
  ],
  ['it is no list', `echo '{"clips":{"a":1}}' > {BATCH_PATH}/m.json`, 'm.json:clips', '"clips" in'],
  ['a line is not JSON', 'echo nonsense > {BATCH_PATH}/m.jsonl', 'm.jsonl', 'line 1, column 1'],
])('where a list cannot be read, the task that wrote it says why: %s', async (_, command, list, message) => {
  const { id, state } = await run(
    plan(
      task('scan', `${command} # {OUT} {BATCH_PATH}/${list.split(':')[0]}`, ['**max_attempts**: 1']),
      task('each', 'echo {ITEM}', [`**foreach**: {BATCH_PATH}/${list}`, '**depends_on**: scan']),
    ),
    { OUT: 'x' },
  );
  expect(state).toBe('failed');
  const [attempt] = (await fleet.task(`${id}:scan`)).history;
  expect(attempt).toMatchObject({ outcome: 'failed', error_type: 'definition' });
  expect(attempt?.message).toContain(message);
});
