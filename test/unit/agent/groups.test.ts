import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report, StageSpec } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentBench, hastyDeps, makeStage, untilFile } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

/** Clips 5, 6, ... of a list: the group does not begin at its start. */
async function runGroup(
  changes: Partial<StageSpec>,
  ids: readonly unknown[] = ['a', "b'$", 'c'],
): Promise<Report> {
  const spec = offer(changes, ids);
  const mine = () => bench.plane.reports.find((report) => report.stage === spec.stage);
  await bench.plane.until('the report', () => mine() !== undefined);
  const report = mine();
  if (report === undefined) throw new Error('no report');
  return report;
}

function offer(changes: Partial<StageSpec>, ids: readonly unknown[]): StageSpec {
  const spec = makeStage({ key: 'clips', has_list: true, ...changes });
  bench.plane.offerGroup(spec, { first: 4, items: ids.map((id) => ({ id, at: { x: 1 } })) });
  return spec;
}

const logOf = (key = 'clips') => readFileSync(join(bench.batchPath(), 'logs', `${key}.0.1.log`), 'utf8');

test('runs the command once for each item, in order, with its values, into one log', async () => {
  bench.agent();
  const report = await runGroup({
    command: 'echo {ITEM.id} {ITEM.at.x} {ITEM_INDEX} "$NAME"; printf %s {ITEM}',
    env: { NAME: 'env of {ITEM.id}' },
  });
  expect(report).toMatchObject({ outcome: 'succeeded', exit_code: 0, message: null });
  const item = (id: string) => JSON.stringify({ id, at: { x: 1 } });
  const expected = [
    ['==> item 5 (a)', 'a 1 4 env of a', item('a')],
    [expect.stringMatching(/^==> item 6 \(b_+[0-9a-f]{8}\)$/), "b'$ 1 5 env of b'$", item("b'$")],
    ['==> item 7 (c)', 'c 1 6 env of c', item('c')],
  ].flat();
  expect(logOf().split('\n')).toEqual(expected);
  expect(report.tail).toBe(logOf());
});

test('stops at the first item that fails, and names it', async () => {
  bench.agent();
  const report = await runGroup({ command: 'echo run {ITEM.id}; [ {ITEM_INDEX} -ne 5 ] || exit 3' });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'worker', exit_code: 3 });
  expect(report.message).toMatch(
    /^Item 6 \(b_+[0-9a-f]{8}\): The command ended with exit code 3 \(2 of 3 in its group\)$/,
  );
  expect(logOf().match(/^run .*$/gm)).toEqual(['run a', "run b'$"]);
});

test('an item without an id is named by its number alone', async () => {
  bench.agent();
  expect((await runGroup({ command: 'exit 1' }, [{}])).message).toBe(
    'Item 5: The command ended with exit code 1 (1 of 1 in its group)',
  );
});

test('an item that lacks a field is named too, and has no exit code of the item before', async () => {
  bench.agent();
  const spec = makeStage({ key: 'clips', has_list: true, command: 'echo {ITEM.no}' });
  bench.plane.offerGroup(spec, { first: 4, items: [{ id: 'a', no: 1 }, { id: 'b' }] });
  await bench.plane.until('the report', () => bench.plane.reports.length === 1);
  const [report] = bench.plane.reports;
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'definition', exit_code: null });
  expect(report?.message).toMatch(/^Item 6 \(b\): \{ITEM\} has no field "no"/);
});

test('the timeout is for all of the group together', async () => {
  bench.agent({}, hastyDeps(2));
  const report = await runGroup({ command: 'echo begun {ITEM.id}; sleep 0.4', timeout_ms: 1_200 });
  expect(report).toMatchObject({ outcome: 'failed', error_type: 'timeout' });
  expect(report.message).toContain('The command ran longer than its timeout of 1.2 s');
  expect(logOf()).toContain('begun a');
});

test('what every item produces must be there', async () => {
  bench.agent();
  const report = await runGroup({
    command: '[ {ITEM.id} = c ] || touch results/{ITEM_INDEX}.txt',
    produces: ['results/{ITEM_INDEX}.txt'],
  });
  expect(report).toMatchObject({ outcome: 'failed' });
  expect(report.message).toMatch(/missing_output.*: results\/6\.txt$/);
});

test('a stop ends the item that runs, and begins no other', async () => {
  await mkdir(join(bench.batchPath(), 'results'), { recursive: true });
  bench.agent();
  const spec = offer({ command: 'echo {ITEM.id} > results/{ITEM.id}; exec sleep 600' }, ['a', 'b']);
  await bench.plane.until('the lease', () => bench.plane.liveLeases().length === 1);
  await untilFile(join(bench.batchPath(), 'results', 'a'));
  bench.plane.stop(bench.plane.liveLeases());
  await bench.plane.until('the report', () => bench.plane.reports.some((each) => each.stage === spec.stage));
  expect(bench.plane.reports.at(-1)).toMatchObject({ outcome: 'stopped' });
  expect(existsSync(join(bench.batchPath(), 'results', 'b'))).toBe(false);
});
