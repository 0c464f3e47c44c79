import { type Page, TASK_STATES, type TaskState, type TaskView } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindStatement } from '../../../../control-plane/src/store/database.ts';
import { listTasks } from '../../../../control-plane/src/store/queries/list-tasks.ts';
import { planOf, register, submitPlan } from '../../../support/api.ts';
import { openTestApp, type TestApp } from '../../../support/test-app.ts';

const TASKS = 90_000;
/** Everything else has succeeded. */
const ONE_EACH = TASK_STATES.filter((state) => state !== 'succeeded');

let server: TestApp;
let batch_id: string;
beforeAll(async () => {
  server = await openTestApp();
  await register(server, 'one');
  ({ batch_id } = await submitPlan(server, planOf(['a'], ['b'])));
  const run = (sql: string) => bindStatement(sql, {});
  await server.db.batch(
    [
      run('DELETE FROM tasks'),
      run(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${TASKS - 1})
        INSERT INTO tasks (stage_id, ordinal, state) SELECT s.id, n.i, 'succeeded' FROM stages s CROSS JOIN n`),
      ...ONE_EACH.map((state, index) => run(change(state, TASKS - 10 + index))),
      run(`UPDATE stages SET total = ${TASKS}, succeeded = ${TASKS - ONE_EACH.length},
        ${ONE_EACH.map((state) => `${state} = 1`).join(', ')}`),
    ],
    'write',
  );
});
afterAll(() => server.close());

function change(state: TaskState, ordinal: number): string {
  const more =
    state === 'leased'
      ? ', agent_id = 1, session = 1, lease = 1, leased_at = 1'
      : state === 'backoff'
        ? ', not_before = 1'
        : '';
  return `UPDATE tasks SET state = '${state}'${more} WHERE ordinal = ${ordinal}`;
}

async function pagesOf(state: TaskState | null, limit: number, most = 50): Promise<Page<TaskView>[]> {
  const pages: Page<TaskView>[] = [];
  for (let after = null as { position: number; ordinal: number } | null; pages.length < most; ) {
    const page = await listTasks(server.db, { batch_id, state, stage: null, limit, after });
    if (page === null) throw new Error('There is no such batch.');
    pages.push(page);
    if (page.next_cursor === null) break;
    const [position = 0, ordinal = 0] = page.next_cursor.split('.').map(Number);
    after = { position, ordinal };
  }
  return pages;
}

test.each(ONE_EACH)('the one %s task of each of two large stages is found', async (state) => {
  const pages = await pagesOf(state, 100);
  const items = pages.flatMap((page) => page.items);
  expect(items.map((item) => [item.stage, item.state])).toEqual([
    ['a', state],
    ['b', state],
  ]);
  expect(pages.length).toBeLessThanOrEqual(
    state === 'waiting' || state === 'skipped' || state === 'cancelled' ? 10 : 1,
  );
});

test.each([
  'ready',
  'leased',
  'backoff',
  'abandoned',
] as const)('%s tasks are paged one by one', async (state) => {
  const pages = await pagesOf(state, 1);
  expect(pages.map((page) => page.items.length)).toEqual([1, 1]);
});

test('all tasks of a state come once, and in order', async () => {
  const items = (await pagesOf('succeeded', 10_000)).flatMap((page) => page.items);
  const keys = items.map((item) => `${item.stage}${String(item.ordinal).padStart(6, '0')}`);
  expect(keys).toEqual([...new Set(keys)].sort());
  expect(items.length).toBe(2 * (TASKS - ONE_EACH.length));
});

test('a page without a state is full', async () => {
  const [first, second] = await pagesOf(null, 500, 2);
  expect([first?.items.length, second?.items.at(-1)?.ordinal]).toEqual([500, 999]);
});
