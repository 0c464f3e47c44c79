import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet } from '../support/fleet.ts';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer();
  await fleet.startAgent('worker', { slots: 16 });
});
afterAll(() => fleet.close());

const ITEMS = 10_000;

test(`a foreach of ${ITEMS} items of \`true\` completes, from a list that a task writes`, async () => {
  const id = await fleet.submit(`# Plan: Many

## Tasks

### list
- **task_class**: cpu
- **command**: \`seq ${ITEMS} | sed 's/.*/{"id":"n&","path":"some folder\\/file &"}/' > {BATCH_PATH}/items.jsonl\`

### each
- **task_class**: cpu
- **foreach**: {BATCH_PATH}/items.jsonl
- **command**: \`true {ITEM.path}\`
- **depends_on**: list

### after
- **task_class**: cpu
- **command**: \`true\`
- **depends_on**: each
`);
  const batch = await fleet.untilEnded(id, 280_000);
  expect(batch).toMatchObject({ state: 'succeeded', total: ITEMS + 2, succeeded: ITEMS + 2 });
  const stages = await fleet.stages(id);
  expect(stages.get('each')).toMatchObject({ total: ITEMS, succeeded: ITEMS, expanded: true });
  const detail = await fleet.task(`${id}:each:${ITEMS - 1}`);
  expect(detail).toMatchObject({
    name: `each_n${ITEMS}`,
    attempts: 1,
    item: { path: `some folder/file ${ITEMS}` },
  });
}, 300_000);
