import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';
import { isRunning } from '../support/is-running.ts';

const fleet = new Fleet();
let shared: string;

beforeAll(async () => {
  shared = fleet.makeFolder('shared dir');
  await fleet.startServer();
  await fleet.startAgent('left', { slots: 2, shared_dir: shared });
  await fleet.startAgent('right', { slots: 2, shared_dir: shared });
});
afterAll(() => fleet.close());

const task = (id: string, command: string, fields = '') =>
  `### ${id}\n- **task_class**: cpu\n- **command**: \`${command}\`\n${fields}\n`;
const plan = (...tasks: string[]) =>
  `# Plan: Test\n\n## Inputs\n\n- **OUT**: where\n\n## Tasks\n\n${tasks.join('\n')}`;

/** Lines that tasks appended, in the order in which they ran. */
function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}

test('a chain of tasks runs in order', async () => {
  const out = fleet.path('linear');
  const id = await fleet.submit(
    plan(
      task('c', 'echo c >> {OUT}', '- **depends_on**: b'),
      task('a', 'echo a >> {OUT}'),
      task('b', 'echo b >> {OUT}', '- **depends_on**: a'),
    ),
    { OUT: out },
  );
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(linesOf(out)).toEqual(['a', 'b', 'c']);
});

test('in a diamond both sides run at once, and the end after both', async () => {
  const out = fleet.path('diamond');
  // Each side waits for the other to begin, so that they can only end if they run at once.
  const meet = (me: string, other: string) =>
    `touch {OUT}.${me}; until [ -e {OUT}.${other} ]; do sleep 0.05; done; echo ${me} >> {OUT}`;
  const id = await fleet.submit(
    plan(
      task('start', 'echo start >> {OUT}'),
      task('left', meet('left', 'right'), '- **depends_on**: start'),
      task('right', meet('right', 'left'), '- **depends_on**: start'),
      task('end', 'echo end >> {OUT}', '- **depends_on**: left, right'),
    ),
    { OUT: out },
  );
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  const lines = linesOf(out);
  expect([lines[0], ...lines.slice(1, 3).sort(), lines[3]]).toEqual(['start', 'left', 'right', 'end']);
});

test('foreach makes one task per item, whatever is in its name, on two agents', async () => {
  const out = fleet.makeFolder('foreach out');
  const names = [
    "O'Brien & Sons (final) $5",
    '"quoted"',
    '$(touch pwned)',
    'ä ö `x`',
    '-rf *',
    'a\\b',
    ...Array.from({ length: 14 }, (_, n) => `plain ${n}`),
  ];
  writeFileSync(
    fleet.path('items.json'),
    JSON.stringify({ files: names.map((name, n) => ({ id: `f${n}`, name })) }),
  );
  const id = await fleet.submit(
    plan(
      task(
        'scan',
        `cp "${fleet.path('items.json')}" {BATCH_PATH}/m.json`,
        '- **produces**: {BATCH_PATH}/m.json',
      ),
      task(
        'each',
        'printf \'%s\' {ITEM.name} > {OUT}/{ITEM.id}; echo "$PLANFLEET_TASK {ITEM_INDEX}" > {OUT}/{ITEM.id}.who; sleep 0.2',
        '- **depends_on**: scan\n- **foreach**: {BATCH_PATH}/m.json:files',
      ),
      task('count', 'ls {OUT}/*.who | wc -l > {OUT}/count', '- **depends_on**: each'),
    ),
    { OUT: out },
  );
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(readFileSync(`${out}/count`, 'utf8').trim()).toBe(String(names.length));
  for (const [n, name] of names.entries()) {
    expect(readFileSync(`${out}/f${n}`, 'utf8')).toBe(name);
    expect(readFileSync(`${out}/f${n}.who`, 'utf8').trim()).toBe(`${id}:each:${n} ${n}`);
  }
  const tasks = (await fleet.tasks(id)).filter((each) => each.stage === 'each');
  const details = await Promise.all(tasks.map((each) => fleet.task(each.id)));
  const agents = new Set(details.map((detail) => detail.history[0]?.agent));
  expect(agents).toEqual(new Set(['left', 'right']));
  expect(details.every((detail) => detail.history.length === 1)).toBe(true);
});

test('a list of no items is a success that opens what comes after it', async () => {
  const out = fleet.path('empty');
  const id = await fleet.submit(
    plan(
      task('scan', "echo '[]' > {BATCH_PATH}/m.json"),
      task('each', 'false', '- **depends_on**: scan\n- **foreach**: {BATCH_PATH}/m.json'),
      task('again', 'false', '- **depends_on**: each\n- **foreach**: {BATCH_PATH}/m.json'),
      task('end', 'echo end >> {OUT}', '- **depends_on**: again'),
    ),
    { OUT: out },
  );
  expect((await fleet.untilEnded(id)).state).toBe('succeeded');
  expect(linesOf(out)).toEqual(['end']);
});

test('two batches at once keep their files apart', async () => {
  const markdown = plan(
    task('write', 'for i in 1 2 3; do echo {BATCH_ID} >> {BATCH_PATH}/mine; sleep 0.05; done'),
    task('read', 'cat {BATCH_PATH}/mine >> {OUT}.{BATCH_ID}', '- **depends_on**: write'),
  );
  const out = fleet.path('two');
  const ids = await Promise.all([fleet.submit(markdown, { OUT: out }), fleet.submit(markdown, { OUT: out })]);
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) {
    expect((await fleet.untilEnded(id)).state).toBe('succeeded');
    expect(linesOf(`${out}.${id}`)).toEqual([id, id, id]);
  }
});

test('a failing task is tried again, then abandoned; the others finish and the batch says failed', async () => {
  const out = fleet.path('failing');
  const id = await fleet.submit(
    plan(
      task('fine', 'echo fine >> {OUT}'),
      task('broken', 'echo broken >> {OUT}; echo the reason >&2; exit 7', '- **max_attempts**: 2'),
      task('after', 'echo after >> {OUT}', '- **depends_on**: broken'),
    ),
    { OUT: out },
  );
  expect((await fleet.untilEnded(id)).state).toBe('failed');
  expect(linesOf(out).sort()).toEqual(['broken', 'broken', 'fine']);
  const broken = await fleet.task(`${id}:broken`);
  expect(broken.state).toBe('abandoned');
  expect(broken.history.map((attempt) => [attempt.exit_code, attempt.error_type, attempt.tail])).toEqual([
    [7, 'worker', 'the reason\n'],
    [7, 'worker', 'the reason\n'],
  ]);
  expect((await fleet.task(`${id}:after`)).state).toBe('waiting');
  const { code, stdout } = await fleet.cli(['task', `${id}:broken`], await fleet.adminToken());
  expect(code).toBe(0);
  expect(stdout).toContain('the reason');
});

test('a plan posted with plain curl runs', async () => {
  const file = fleet.path('curl.md');
  const out = fleet.path('curl-out');
  writeFileSync(file, plan(task('hello', 'echo hello > {OUT}')));
  const { stdout } = await promisify(execFile)('curl', [
    ...[
      '-sS',
      '-H',
      `Authorization: Bearer ${await fleet.adminToken()}`,
      '-H',
      'Content-Type: text/markdown',
    ],
    ...['--data-binary', `@${file}`, `${fleet.url}/v1/batches?name=hello&OUT=${encodeURIComponent(out)}`],
  ]);
  const { batch_id } = JSON.parse(stdout) as { batch_id: string };
  expect((await fleet.untilEnded(batch_id)).state).toBe('succeeded');
  expect(linesOf(out)).toEqual(['hello']);
});

test('a task for a card waits where there is none, and cancel ends the batch', async () => {
  const id = await fleet.submit(plan('### cut\n- **task_class**: script\n- **command**: `true {OUT}`\n'), {
    OUT: 'x',
  });
  const other = await fleet.submit(plan(task('ok', 'true {OUT}')), { OUT: 'x' });
  await fleet.untilEnded(other);
  expect((await fleet.task(`${id}:cut`)).state).toBe('ready');
  const { code } = await fleet.cli(['cancel', id], await fleet.adminToken());
  expect(code).toBe(0);
  expect((await fleet.batch(id)).state).toBe('cancelled');
});

test('cancel ends the processes of running tasks, and the batch only after them', async () => {
  const out = fleet.path('cancel');
  const id = await fleet.submit(
    plan(
      task('long', 'echo $$ > {OUT}; exec sleep 600'),
      task('never', 'echo never >> {OUT}', '- **depends_on**: long'),
    ),
    { OUT: out },
  );
  const pid = await until('the task to run', () => {
    try {
      return Number(readFileSync(out, 'utf8')) || undefined;
    } catch {
      return undefined;
    }
  });
  await fleet.cli(['cancel', id], await fleet.adminToken());
  expect((await fleet.untilEnded(id)).state).toBe('cancelled');
  expect(isRunning(pid)).toBe(false);
  const states = (await fleet.tasks(id)).map((each) => each.state);
  expect(states).toEqual(['cancelled', 'cancelled']);
});
