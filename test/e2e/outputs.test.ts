import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { FileView, Page } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet } from '../support/fleet.ts';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer();
  await fleet.adminToken();
  await fleet.startAgent('worker', { slots: 2 });
});
afterAll(() => fleet.close());

/** A plan folder whose tasks go through these items; `case` branches say what each does. */
function writePlan(name: string, cases: Record<string, string>, inputs: readonly string[]): string {
  const folder = fleet.makeFolder('plans', name);
  const branches = Object.entries(cases).map(([item, script]) => `${item}) ${script} ;;`);
  writeFileSync(
    `${folder}/plan.md`,
    `# Plan: ${name}

## Inputs

${inputs.map((input) => `- ${input}`).join('\n')}

## Tasks

### each
- **task_class**: cpu
- **foreach**: ${JSON.stringify(Object.keys(cases))}
- **max_attempts**: 1
- **command**:
\`\`\`bash
case {ITEM} in
${branches.join('\n')}
esac
\`\`\`
`,
  );
  return folder;
}

async function filesOf(id: string): Promise<Record<string, string>> {
  const { items } = await fleet.get<Page<FileView>>(`/v1/batches/${id}/files`);
  const files: Record<string, string> = {};
  for (const { path } of items) {
    files[path] = await (await fleet.request(`/v1/batches/${id}/files/${path}`)).text();
  }
  return files;
}

/** Submits and waits; returns the id and the outcome of each task. */
async function run(folder: string, inputs: readonly string[]) {
  const args = ['submit', folder, ...inputs.flatMap((input) => ['-i', input]), '--watch'];
  const result = await fleet.cli([...args, '--json']);
  const id = /\d{8}_\d{6}[\w-]*/.exec(result.stdout)?.[0];
  if (id === undefined) throw new Error(`No batch: ${result.stdout} ${result.stderr}`);
  await fleet.untilEnded(id);
  const tasks = await fleet.tasks(id);
  return { id, states: tasks.map((task) => [task.state, task.attempts]) };
}

const wait = (name: string) => `until [ -e {OUT}/${name} ]; do sleep 0.02; done`;

test('tasks that write below one output all succeed at the first try, and all their files arrive', async () => {
  const folder = writePlan(
    'shared output',
    {
      slow: 'until [ -e {OUT}/q4.txt ]; do echo x >> {OUT}/slow.bin; sleep 0.01; done; echo end >> {OUT}/slow.bin',
      q1: 'echo q1 > {OUT}/q1.txt',
      q2: 'echo q2 > {OUT}/q2.txt',
      q3: 'echo q3 > {OUT}/q3.txt',
      q4: 'sleep 0.2; echo q4 > {OUT}/q4.txt',
    },
    ['**OUT** (output folder): results'],
  );
  const target = fleet.path('fetched');
  const { states } = await run(folder, [`OUT=${target}`]);
  expect(states).toEqual(Array(5).fill(['succeeded', 1]));
  expect(readdirSync(target).sort()).toEqual(['q1.txt', 'q2.txt', 'q3.txt', 'q4.txt', 'slow.bin']);
  expect(readFileSync(`${target}/slow.bin`, 'utf8')).toMatch(/^(x\n)+end\n$/);
});

test('a failure that ends last neither publishes its files nor costs those of others', async () => {
  const folder = writePlan(
    'bad and good',
    {
      bad: `echo x > {OUT}/bad.txt; ${wait('good.txt')}; sleep 0.3; rm {OUT}/bad.txt; exit 1`,
      good: `${wait('bad.txt')}; echo good > {OUT}/good.txt`,
    },
    ['**OUT** (output folder): results'],
  );
  const { id, states } = await run(folder, [`OUT=${fleet.path('bad and good')}`]);
  expect(states.map(([state]) => state)).toEqual(['abandoned', 'succeeded']);
  expect(Object.values(await filesOf(id))).toEqual(['good\n']);
});

test('an empty folder and a file with a colon in its name travel', async () => {
  const folder = writePlan('odd inputs', { only: '[ -z "$(ls -A {EMPTY})" ] && cat {ODD}/c:x.txt > {OUT}' }, [
    '**EMPTY** (folder): nothing',
    '**ODD** (folder): one file',
    '**OUT** (output file): what was in it',
  ]);
  const empty = fleet.makeFolder('empty');
  const odd = fleet.makeFolder('odd');
  writeFileSync(`${odd}/c:x.txt`, 'odd\n');
  const out = fleet.path('odd.txt');
  const { states } = await run(folder, [`EMPTY=@${empty}`, `ODD=@${odd}`, `OUT=${out}`]);
  expect(states).toEqual([['succeeded', 1]]);
  expect(readFileSync(out, 'utf8')).toBe('odd\n');
});
