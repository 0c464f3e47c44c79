import { createHash } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ItemsRequest, ListSpec, Report } from '@planfleet/shared-types';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunningAgent } from '../../../agent/src/agent/agent-options.ts';
import { AgentBench, hastyDeps } from './agent-bench.ts';

let bench: AgentBench;
let agent: RunningAgent;
beforeEach(async () => {
  bench = await AgentBench.open();
});
afterEach(() => bench.close());

/** Lets a task read a list that lies in the batch folder, without a command. */
async function readList(name: string, content: string | Buffer, jsonpath: string | null): Promise<Report> {
  await mkdir(join(bench.batchPath(), 'results'), { recursive: true });
  await writeFile(join(bench.batchPath(), 'results', name), content);
  const list: ListSpec = { list: 7, path: `{BATCH_PATH}/results/${name}`, jsonpath };
  agent = bench.agent();
  return bench.report({ command: null, lists: [list] });
}

function itemsOf(report: Report): unknown[] {
  const chunks = [...(bench.plane.items.get(`7:${report.lease}`) ?? new Map()).entries()];
  return chunks.sort(([a], [b]) => a - b).flatMap(([, chunk]) => chunk.items);
}

describe('lists are read and sent', () => {
  test.each([
    ['a JSON document that is the list', 'l.json', '[1,"zwei",{"id":"drei"},null]', null],
    [
      'a place in a JSON document',
      'l.json',
      '{"welt":{"regionen":[1,"zwei",{"id":"drei"},null]}}',
      'welt.regionen',
    ],
    ['JSON with a byte order mark', 'l.json', '\uFEFF[1,"zwei",{"id":"drei"},null]', null],
    ['a place written as JSONPath', 'l.json', '{"a":[{"b":[1,"zwei",{"id":"drei"},null]}]}', '$.a[0].b'],
    ['every element', 'l.json', '{"a":[1,"zwei",{"id":"drei"},null]}', 'a[*]'],
    [
      'a field of every element',
      'l.json',
      '[{"x y":1},{"x y":"zwei"},{"x y":{"id":"drei"}},{"x y":null}]',
      "$[*]['x y']",
    ],
    [
      'elements of lists in a list',
      'l.json',
      '{"a":[{"b":[1,"zwei"]},{"b":[{"id":"drei"},null]}]}',
      'a[*].b[*]',
    ],
    ['JSON lines', 'l.jsonl', '\uFEFF1\r\n"zwei"\n\n{"id":"drei"}\nnull', null],
    ['ndjson', 'l.ndjson', '1\n"zwei"\n{"id":"drei"}\nnull\n', null],
  ])('%s', async (_, name, content, jsonpath) => {
    const report = await readList(name, content, jsonpath);
    expect(report).toMatchObject({ outcome: 'succeeded', lists: [{ list: 7, count: 4 }] });
    expect(itemsOf(report)).toEqual([1, 'zwei', { id: 'drei' }, null]);
  });

  test('CSV with a header', async () => {
    const report = await readList('l.csv', '\uFEFFname,"the size"\n"O\'Brien, P.",3\n"two\nlines",\n', null);
    expect(report.outcome).toBe('succeeded');
    expect(itemsOf(report)).toEqual([
      { name: "O'Brien, P.", 'the size': '3' },
      { name: 'two\nlines', 'the size': '' },
    ]);
  });

  test('a CSV file of a header alone is an empty list', async () => {
    const report = await readList('l.csv', 'a,b\r\n', null);
    expect(report).toMatchObject({ outcome: 'succeeded', lists: [{ list: 7, count: 0 }] });
  });

  test('items whose name an earlier one has are sent along with a number for it', async () => {
    const ids = ['a', 'b', 'a', 'a'];
    const report = await readList('l.jsonl', ids.map((id) => JSON.stringify({ id })).join('\n'), null);
    expect(report.outcome).toBe('succeeded');
    const request = bench.plane.seen.find((entry) => entry.route === 'items')?.body as ItemsRequest;
    expect(request.chunks.map((chunk) => chunk.repeats)).toEqual([
      [
        [2, 2],
        [3, 3],
      ],
    ]);
  });

  test('an empty list is no chunk at all', async () => {
    const report = await readList('l.json', '{"items":[]}', 'items');
    expect(report).toMatchObject({ outcome: 'succeeded', lists: [{ list: 7, count: 0, chunks: [] }] });
    expect(bench.plane.count('items')).toBe(0);
  });

  test('100,000 items go in chunks that fit, ahead of the report', async () => {
    const items = Array.from({ length: 100_000 }, (_, id) => ({ id, name: `Föhn ${id}` }));
    const report = await readList('l.json', JSON.stringify(items), null);
    expect(report.lists[0]).toMatchObject({ count: 100_000 });
    expect(report.lists[0]?.chunks).toHaveLength(200);
    expect(itemsOf(report)).toEqual(items);
    const requests = bench.plane.seen.filter((entry) => entry.route === 'items');
    const sizes = requests.map((entry) => Buffer.byteLength(JSON.stringify(entry.body)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000_000);
    agent.drain();
    await agent.done;
    // Acknowledged, so nothing of it is left on disk.
    const left = await readdir(join(bench.data, 'outbox', 'lists'));
    expect(left).toEqual([]);
  });

  test('large items make small chunks, whose digests are those of their items', async () => {
    const items = Array.from({ length: 20 }, (_, id) => ({ id, text: 'ü'.repeat(50_000) }));
    const report = await readList('l.jsonl', items.map((item) => JSON.stringify(item)).join('\n'), null);
    const digests = [0, 2, 4].map((from) =>
      createHash('sha256')
        .update(JSON.stringify(items.slice(from, from + 2)))
        .digest('hex'),
    );
    expect(report.lists[0]?.chunks.slice(0, 3)).toEqual(digests);
    expect(itemsOf(report)).toEqual(items);
  });

  test('items that the control plane has lost are sent again', async () => {
    await mkdir(join(bench.batchPath(), 'results'), { recursive: true });
    bench.plane.replaces.set('items', [{ status: 200, body: '{}' }]);
    bench.agent({}, hastyDeps());
    const report = await bench.report({
      command: 'echo "[1,2,3]" > results/l.json',
      lists: [{ list: 7, path: 'results/l.json', jsonpath: null }],
    });
    expect(report.outcome).toBe('succeeded');
    expect(itemsOf(report)).toEqual([1, 2, 3]);
    expect(bench.plane.count('items')).toBe(2);
  });

  test('a list that is refused fails the attempt', async () => {
    const body = JSON.stringify({
      type: 'x',
      title: 'x',
      status: 422,
      detail: 'no such list',
      code: 'invalid',
    });
    bench.plane.replaces.set('items', [{ status: 422, body }]);
    const report = await readList('l.json', '[1]', null);
    expect(report).toMatchObject({ outcome: 'failed', lists: [] });
    expect(report.message).toContain('no such list');
  });
});

describe('what is wrong with a list is said', () => {
  test.each([
    [
      'not JSON',
      'l.json',
      '{\n  "items": [1,\n  2,]\n}',
      'items',
      ['line 3, column 5', '"]" where a value should be'],
    ],
    ['cut off', 'l.json', '[{"a": "b', null, ['line 1, column 8']],
    ['JSON lines with a bad line', 'l.jsonl', '{"a":1}\n{a:1}\n', null, ['line 2, column 2']],
    [
      'no such place',
      'l.json',
      '{"welt":{"länder":[],"orte":[]}}',
      'welt.regionen',
      ['"regionen"', '"welt"', 'länder, orte'],
    ],
    [
      'not a list',
      'l.json',
      '{"welt":{"regionen":{"a":1}}}',
      'welt.regionen',
      ['"welt.regionen"', 'is not a list', 'an object with a'],
    ],
    ['a document that is no list', 'l.json', '"text"', null, ['is not a list', 'a string']],
    ['a place that cannot be read', 'l.json', '{"a":[]}', 'a[?(@.x)]', ['"[?(@.x)]" on', 'data.videos']],
    ['a place beyond the end', 'l.json', '{"a":[1]}', 'a[3].b', ['no "[3]" at "a"', 'a list of 1']],
    ['CSV with too many fields', 'l.csv', 'a,b\n1,2\n1,2,3\n', null, ['line 3 has 3 fields', 'header has 2']],
    ['CSV with too few fields', 'l.csv', 'a,b\r\n1\r\n', null, ['line 2 has 1 field', 'header has 2']],
    ['CSV with a quote that stays open', 'l.csv', 'a,b\n"1,2\n', null, ['not CSV']],
    ['CSV with a name twice', 'l.csv', 'a,b,a\n1,2,3\n', null, ['two columns named "a"']],
    ['CSV with a column without name', 'l.csv', 'a,,c\n1,2,3\n', null, ['no name for column 2']],
    [
      'an item that is too long',
      'l.json',
      JSON.stringify(['x'.repeat(600_000)]),
      null,
      ['Item 0', 'its path in the list'],
    ],
  ])('%s', async (_, name, content, jsonpath, parts) => {
    const report = await readList(name, content, jsonpath);
    expect(report).toMatchObject({ outcome: 'failed', error_type: 'definition', lists: [] });
    for (const part of parts) expect(report.message).toContain(part);
  });

  test('groups that are too long to travel', async () => {
    await mkdir(join(bench.batchPath(), 'results'), { recursive: true });
    const line = JSON.stringify({ text: 'x'.repeat(300_000) });
    await writeFile(join(bench.batchPath(), 'results', 'l.jsonl'), `${line}\n`.repeat(8));
    bench.agent();
    const list = { list: 7, path: 'results/l.jsonl', jsonpath: null };
    const fits = await bench.report({ command: null, lists: [{ ...list, group_size: 3 }] });
    expect(fits).toMatchObject({ outcome: 'succeeded', lists: [{ count: 8 }] });
    const report = await bench.report({ command: null, lists: [{ ...list, group_size: 5 }] });
    expect(report).toMatchObject({ outcome: 'failed', error_type: 'definition' });
    expect(report.message).toMatch(/^Items 1 to 4 of .* lower batch_size/);
  });

  test('not there', async () => {
    bench.agent();
    const report = await bench.report({
      lists: [{ list: 7, path: '{BATCH_PATH}/none.json', jsonpath: null }],
    });
    expect(report).toMatchObject({ outcome: 'failed', error_type: 'definition', exit_code: 0 });
    expect(report.message).toContain('none.json is not there');
  });
});
