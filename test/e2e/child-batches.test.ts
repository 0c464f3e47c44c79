import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { BatchView, Page } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';
import { isRunning } from '../support/is-running.ts';

const fleet = new Fleet();
let shared: string;

beforeAll(async () => {
  shared = fleet.makeFolder('shared dir');
  await fleet.startServer();
  await fleet.adminToken();
  await fleet.startAgent('left', { slots: 2, shared_dir: shared });
  await fleet.startAgent('right', { slots: 2, shared_dir: shared });
});
afterAll(() => fleet.close());

const task = (id: string, command: string, fields = '') =>
  `### ${id}\n- **task_class**: cpu\n- **command**: \`${command}\`\n${fields}\n`;
const execute = (id: string, plan: string, config: object, fields = '') =>
  `### ${id}\n- **type**: execute_plan\n- **plan**: ${plan}\n- **config**: \`${JSON.stringify(config)}\`\n${fields}\n`;
const plan = (inputs: readonly string[], ...tasks: string[]) =>
  `# Plan: Test\n\n## Inputs\n\n${inputs.map((input) => `- **${input}`).join('\n')}\n\n## Tasks\n\n${tasks.join('\n')}`;

function writePlans(name: string, plans: Record<string, string>): string {
  const top = fleet.makeFolder('plans', name);
  for (const [folder, markdown] of Object.entries(plans)) {
    mkdirSync(`${top}/${folder}`, { recursive: true });
    writeFileSync(`${top}/${folder}/plan.md`, markdown);
  }
  return top;
}

async function submit(folder: string, ...inputs: string[]): Promise<string> {
  const args = ['submit', folder, ...inputs.flatMap((input) => ['-i', input]), '--json'];
  const { code, stdout, stderr } = await fleet.cli(args);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return (JSON.parse(stdout) as { batch_id: string }).batch_id;
}

async function childrenOf(id: string): Promise<BatchView[]> {
  const { items } = await fleet.get<Page<BatchView>>('/v1/batches?limit=100');
  return items.filter((batch) => batch.parent?.startsWith(`${id}:`));
}

const fileOf = async (id: string, path: string) =>
  (await fleet.request(`/v1/batches/${id}/files/${path}`)).text();

test('a folder of the plan runs once for each item, with inputs, uploads and files of its parent', async () => {
  const setups = fleet.path('setups');
  const child = `${plan(
    ['DATA**: what was sent (folder)', 'NAME**: of the item', 'PUT**: where to'],
    task('count', 'cat {DATA}/{NAME}.txt | wc -w > {BATCH_PATH}/n'),
    task('put', 'sh {PLAN_PATH}/put.sh {BATCH_PATH}/n {PUT}/{NAME}', '- **depends_on**: count'),
  )}\n## Setup\n\n\`\`\`bash\necho "$PWD" >> '${setups}'\n\`\`\`\n`;
  const folder = writePlans('each', {
    '': plan(
      ['DATA**: (folder)', 'OUT**: (output file)'],
      task('start', 'mkdir {BATCH_PATH}/counts'),
      execute(
        'each',
        '{PLAN_PATH}/steps/count',
        { DATA: '{DATA}', NAME: '{ITEM.id}', PUT: '{BATCH_PATH}/counts' },
        '- **depends_on**: start\n- **foreach**: [{"id": "a"}, {"id": "b"}, {"id": "c d"}]',
      ),
      task('sum', 'cat {BATCH_PATH}/counts/* | tr -d " " > {OUT}', '- **depends_on**: each'),
    ),
    'steps/count': child,
  });
  writeFileSync(`${folder}/steps/count/put.sh`, 'cp "$1" "$2"\n');
  const data = fleet.makeFolder('data');
  writeFileSync(`${data}/a.txt`, 'one');
  writeFileSync(`${data}/b.txt`, 'one two');
  writeFileSync(`${data}/c d.txt`, 'one two three');
  const id = await submit(folder, `DATA=@${data}`, 'OUT=sum.txt');
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(await fileOf(id, 'output/sum.txt')).toBe('1\n2\n3\n');
  const children = await childrenOf(id);
  expect(children.map((batch) => [batch.state, batch.parent]).sort()).toEqual(
    [0, 1, 2].map((n) => ['succeeded', `${id}:each:${n}`]),
  );
  // Once for the version of the plan and the folder, on each machine: both agents share one.
  const ran = readFileSync(setups, 'utf8').trim().split('\n');
  expect(ran).toHaveLength(1);
  expect(ran[0]).toMatch(/\/steps\/count$/);
  const detail = await fleet.task(`${id}:each:1`);
  expect(children.map((batch) => batch.id)).toContain(detail.child_batch);
  const shown = await fleet.cli(['task', `${id}:each:1`]);
  expect(shown.stdout).toContain(`child    ${detail.child_batch}`);
});

test('a registered plan is executed by its name, and hands back the output it was given', async () => {
  const markdown = plan(
    ['TEXT**: what (default: `none`)', 'RESULT**: (output file)'],
    task('write', 'echo {TEXT} > {RESULT}'),
  );
  const put = await fleet.request('/v1/plans/shout', {
    method: 'PUT',
    headers: { 'content-type': 'text/markdown' },
    body: markdown,
  });
  expect(put.status).toBe(201);
  const parent = plan(
    ['WORD**: which', 'REPORT**: (output file)'],
    execute('say', 'shout', { TEXT: "{WORD} isn't $HOME", RESULT: '{REPORT}' }),
  );
  const id = await fleet.submit(parent, { WORD: "O'Hara", REPORT: 'said.txt' });
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(await fileOf(id, 'output/said.txt')).toBe("O'Hara isn't $HOME\n");
});

test('a child that fails is named by its parent, with the task that failed', async () => {
  const folder = writePlans('failing', {
    '': plan(['OUT**: x'], execute('sub', 'inner', { OUT: '{OUT}' }, '- **max_attempts**: 1')),
    inner: plan(['OUT**: x'], task('broken', 'echo no > {OUT}; exit 3', '- **max_attempts**: 1')),
  });
  const id = await submit(folder, `OUT=${fleet.path('failing.txt')}`);
  expect((await fleet.untilEnded(id)).state).toBe('failed');
  const { history, child_batch } = await fleet.task(`${id}:sub`);
  expect(history).toMatchObject([
    {
      outcome: 'failed',
      error_type: 'child',
      message: `The child batch ${child_batch} failed: ${child_batch}:broken:0`,
    },
  ]);
});

test('cancel of a batch ends the processes of its children', async () => {
  const out = fleet.path('pid');
  const folder = writePlans('cancelled', {
    '': plan(['OUT**: x'], execute('sub', './inner', { OUT: '{OUT}' })),
    inner: plan(['OUT**: x'], task('long', 'echo $$ > {OUT}; exec sleep 600')),
  });
  const id = await submit(folder, `OUT=${out}`);
  const pid = await until('the task of the child to run', () => {
    try {
      return Number(readFileSync(out, 'utf8')) || undefined;
    } catch {
      return undefined;
    }
  });
  expect((await fleet.cli(['cancel', id])).code).toBe(0);
  expect((await fleet.untilEnded(id)).state).toBe('cancelled');
  expect(isRunning(pid)).toBe(false);
  expect((await childrenOf(id)).map((batch) => batch.state)).toEqual(['cancelled']);
});

test('a plan that is not there and a config that does not fit are told before anything runs', async () => {
  const folder = writePlans('wrong', {
    '': plan(
      ['X**: x'],
      execute('one', 'iner', { OUT: '{X}' }),
      execute('two', 'inner', { OTU: '{X}' }),
      execute('three', '{PLAN_PATH}/bad', {}),
    ),
    inner: plan(['OUT**: x'], task('a', 'echo {OUT}')),
    bad: plan(['Y**: y'], task('a', 'echo {Y}', '- **depends_on**: b')),
  });
  const { code, stdout, stderr } = await fleet.cli(['submit', folder, '-i', 'X=1']);
  expect(code).toBe(2);
  const told = stdout + stderr;
  for (const each of [
    'PF040',
    'PF041',
    'PF042',
    'PF043',
    'Did you mean {PLAN_PATH}/inner?',
    'Did you mean OUT?',
  ])
    expect(told).toContain(each);
});

test('ends of children are passed on within a moment, not at the next tick', async () => {
  const chain = ['a', 'b', 'c', 'd'];
  const folder = writePlans('chain', {
    '': plan(
      ['X**: x'],
      ...chain.map((id, n) =>
        execute(id, 'inner', { X: '{X}' }, n === 0 ? '' : `- **depends_on**: ${chain[n - 1]}`),
      ),
    ),
    inner: plan(['X**: x'], task('t', 'true {X}')),
  });
  const id = await submit(folder, 'X=1');
  const batch = await fleet.untilEnded(id);
  expect(batch.state).toBe('succeeded');
  // Four children one after the other: a tick for each step would take 40 s.
  expect(Date.parse(batch.finished_at ?? '') - Date.parse(batch.created_at)).toBeLessThan(15_000);
});
