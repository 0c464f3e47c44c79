import { appendFile, copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Outbox, type OutboxEntry } from '../../../agent/src/agent/outbox.ts';
import { type OutboxLog, openOutboxLog } from '../../../agent/src/agent/outbox-log.ts';
import { unstartedResult } from '../../../agent/src/agent/unstarted-result.ts';
import { makeStage } from './agent-bench.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planfleet-outbox-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const spec = makeStage();

function result(lease: number, tail = '') {
  const made = unstartedResult(
    { task: { stage: 1, ordinal: 0, lease, attempt: 1 }, spec },
    'returned',
    'because',
    5,
  );
  return { ...made, report: { ...made.report, tail } };
}

/** What a next life would find; on a copy, since loading clears up. */
async function loadLeases(): Promise<number[]> {
  const copy = await mkdtemp(join(folder, '.copy-'));
  for (const name of await readdir(folder)) {
    if (name.endsWith('.jsonl')) await copyFile(join(folder, name), join(copy, name));
  }
  return loadFrom(copy);
}

async function loadFrom(place: string): Promise<number[]> {
  const log = await openOutboxLog(place);
  const leases = (await log.load()).map(({ report }) => report.lease);
  await log.close();
  return leases;
}

test('what was written is there after a restart, what was removed is not', async () => {
  const log = await openOutboxLog(folder);
  await log.append([result(1), result(2)]);
  await log.append([result(3)]);
  expect(await loadLeases()).toEqual([1, 2, 3]);
  await log.remove([result(1), result(2), result(3)]);
  expect(await loadLeases()).toEqual([]);
  await log.append([result(4)]);
  expect(await loadLeases()).toEqual([4]);
  await log.close();
});

test('a line that a crash has cut, and rubbish, cost nothing but themselves', async () => {
  const log = await openOutboxLog(folder);
  await log.append([result(1)]);
  const [segment] = (await readdir(folder)).filter((name) => name.endsWith('.jsonl'));
  await appendFile(join(folder, segment ?? ''), '\n{"report":{"stage":1,');
  await log.append([result(2)]);
  await writeFile(join(folder, '0000000009.jsonl'), 'rubbish\n\0\0\0\n{}\n');
  await log.close();
  expect(await loadFrom(folder)).toEqual([1, 2]);
  expect(await readdir(folder)).not.toContain('0000000009.jsonl');
});

test('segments are cut, and each goes when its last report is acknowledged', async () => {
  const log = await openOutboxLog(folder);
  const many = Array.from({ length: 200 }, (_, index) => result(index + 1, 'x'.repeat(60_000)));
  for (let at = 0; at < many.length; at += 10) await log.append(many.slice(at, at + 10));
  const count = async () => (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).length;
  expect(await count()).toBeGreaterThan(2);
  await log.remove(many.slice(1));
  expect(await count()).toBe(2);
  expect(await loadLeases()).toContain(1);
  await log.remove(many.slice(0, 1));
  expect(await count()).toBe(1);
  await log.close();
});

test('chunk files without a report are removed at the start', async () => {
  const log = await openOutboxLog(folder);
  await log.load();
  const kept = join(folder, 'lists', 'kept.jsonl');
  await writeFile(kept, '{}');
  await writeFile(join(folder, 'lists', 'stray.jsonl'), '{}');
  await log.append([{ ...result(1), chunk_files: [{ list: 1, file: kept }] }]);
  await log.close();
  expect(await loadFrom(folder)).toEqual([1]);
  expect(await readdir(join(folder, 'lists'))).toEqual(['kept.jsonl']);
  expect(await readFile(kept, 'utf8')).toBe('{}');
});

test('reports that come while the disk works share the next write', async () => {
  const writes: number[] = [];
  let release = () => {};
  const log: OutboxLog = {
    load: async () => [],
    append: (results) => {
      writes.push(results.length);
      return new Promise((resolve) => {
        release = resolve;
      });
    },
    remove: async () => undefined,
    close: async () => undefined,
  };
  const durable: OutboxEntry[] = [];
  const outbox = new Outbox(
    log,
    () => undefined,
    (entry) => durable.push(entry),
  );
  for (let lease = 1; lease <= 50; lease++) outbox.add(result(lease));
  await new Promise((resolve) => setImmediate(resolve));
  expect(durable).toEqual([]);
  for (let lease = 51; lease <= 80; lease++) outbox.add(result(lease));
  release();
  await new Promise((resolve) => setImmediate(resolve));
  release();
  await outbox.whenWritten();
  expect(writes).toEqual([50, 30]);
  expect(durable).toHaveLength(80);
});

test('a full disk does not keep reports back', async () => {
  const said: string[] = [];
  const durable: OutboxEntry[] = [];
  const log: OutboxLog = {
    load: async () => [],
    append: () => Promise.reject(new Error('ENOSPC')),
    remove: () => Promise.reject(new Error('ENOSPC')),
    close: async () => undefined,
  };
  const outbox = new Outbox(
    log,
    (entry) => said.push(entry.message),
    (entry) => durable.push(entry),
  );
  outbox.add(result(1));
  await outbox.whenWritten();
  expect(durable).toHaveLength(1);
  expect(said[0]).toContain('ENOSPC');
  outbox.remove(durable);
  await outbox.close();
});
