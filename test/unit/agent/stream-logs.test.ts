import { writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { LogChunk } from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentBench, hastyDeps, makeStage } from './agent-bench.ts';

let bench: AgentBench;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

function textOf(chunks: readonly LogChunk[]): string {
  return chunks
    .map(({ data, encoding }) => {
      const bytes = Buffer.from(data, 'base64');
      return (encoding === 'gzip' ? gunzipSync(bytes) : bytes).toString();
    })
    .join('');
}

/** Waits for a file of the test. */
const gated = (gate: string) => `until [ -e '${gate}' ]; do sleep 0.05; done`;

test('output arrives while the task runs; silence costs no request', async () => {
  const gate = bench.path('gate');
  bench.agent();
  const spec = makeStage({ command: `echo one; sleep 1.5; echo two; ${gated(gate)}` });
  bench.plane.offer(spec);
  await bench.plane.until('the first line', () => textOf(bench.plane.logChunks) === 'one\n');
  await bench.plane.until('the second line', () => textOf(bench.plane.logChunks) === 'one\ntwo\n');
  expect(bench.plane.logChunks.map(({ offset, size }) => [offset, size])).toEqual([
    [0, 4],
    [4, 4],
  ]);
  expect(bench.plane.count('logs')).toBe(2);
  await writeFile(gate, '');
  await bench.plane.untilReports(1);
  expect(bench.plane.count('logs')).toBe(2);
});

test('a task that is over at once makes no request for its output', async () => {
  bench.agent();
  const report = await bench.report({ command: 'echo quick' });
  expect(report).toMatchObject({ tail: 'quick\n', log: { kept: 'tail', size: 6 } });
  expect([bench.plane.count('logs'), bench.plane.count('blob'), bench.plane.count('missing')]).toEqual([
    0, 0, 0,
  ]);
});

test('lost answers and errors of the control plane delay no report, and chunks are sent again as they were', async () => {
  const gate = bench.path('gate');
  bench.plane.loses.set('logs', 1);
  bench.plane.replaces.set('logs', [{ status: 503, body: '' }]);
  bench.agent({}, hastyDeps());
  bench.plane.offer(makeStage({ command: `echo one; sleep 0.3; echo two; ${gated(gate)}` }));
  await bench.plane.until('both lines', () => textOf(bench.plane.logChunks).endsWith('two\n'));
  const [first, second, third] = bench.plane.logChunks;
  expect(second).toEqual(first);
  expect(third).toMatchObject({ offset: 4, size: 4 });
  await writeFile(gate, '');
  await bench.plane.untilReports(1);
});

test('a control plane that does not know of output is not asked again, and gets the log with the report', async () => {
  const gate = bench.path('gate');
  const problem = { type: 'x', title: 'x', status: 404, detail: 'nothing here', code: 'not_found' };
  bench.plane.replaces.set('logs', [{ status: 404, body: JSON.stringify(problem) }]);
  bench.agent();
  bench.plane.offer(makeStage({ command: `echo one; sleep 0.6; echo two; sleep 0.6; ${gated(gate)}` }));
  await bench.plane.until('the question', () => bench.plane.count('logs') === 1);
  await writeFile(gate, '');
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]?.tail).toBe('one\ntwo\n');
  expect(bench.plane.count('logs')).toBe(1);
  expect(bench.log.filter((entry) => entry.event === 'logs_refused')).toHaveLength(1);
});

test('a large log of a failure is uploaded before its report', async () => {
  bench.agent();
  const report = await bench.report({ command: 'seq 1 100000; exit 3' });
  expect(report).toMatchObject({ outcome: 'failed', log: { kept: 'blob', size: 588_895, head: 588_895 } });
  expect(bench.plane.blobs.get(report.log?.sha256 ?? '')?.length).toBe(588_895);
});

test('a log that does not get through holds its report up for seconds only, and follows', async () => {
  let open = () => {};
  bench.plane.uploadsWaitFor = new Promise((resolve) => {
    open = resolve;
  });
  bench.agent({}, hastyDeps());
  const report = await bench.report({ command: 'seq 1 100000' });
  expect(report).toMatchObject({ outcome: 'succeeded', log: { kept: 'machine' } });
  open();
  await bench.plane.until('the log', () => bench.plane.arrivedLogs.length > 0);
  expect(bench.plane.arrivedLogs).toEqual([report.log?.sha256]);
  expect(bench.plane.blobs.has(report.log?.sha256 ?? '')).toBe(true);
}, 30_000);

test('an agent that is drained waits for a log that follows its report', async () => {
  let open = () => {};
  bench.plane.uploadsWaitFor = new Promise((resolve) => {
    open = resolve;
  });
  const gate = bench.path('gate');
  const agent = bench.agent();
  bench.plane.offer(makeStage({ command: `seq 1 100000; ${gated(gate)}` }));
  await bench.plane.until('the output', () => bench.plane.logChunks.length > 0);
  agent.drain();
  await writeFile(gate, '');
  await bench.plane.untilReports(1);
  expect(bench.plane.reports[0]?.log).toMatchObject({ kept: 'machine' });
  open();
  expect(await agent.done).toMatchObject({ kind: 'drained' });
  expect(bench.plane.arrivedLogs).toEqual([bench.plane.reports[0]?.log?.sha256]);
}, 30_000);
