import type { BatchEvent, EndEvent, StageEvent } from '@planfleet/shared-types';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, until } from '../support/fleet.ts';
import { readEvents } from '../support/read-events.ts';

const fleet = new Fleet();
beforeAll(async () => {
  await fleet.startServer();
  await fleet.startAgent('worker');
});
afterAll(() => fleet.close());

const plan = (command: string) => `# Plan: Events

## Tasks

### first
- **task_class**: cpu
- **command**: \`${command}\`

### second
- **task_class**: cpu
- **depends_on**: first
- **command**: \`true\`
`;

async function streams(): Promise<number> {
  const text = await (await fleet.request('/metrics')).text();
  return Number(/^planfleet_event_streams (\d+)$/m.exec(text)?.[1]);
}

test('a batch is followed to its end, less than a second behind', async () => {
  const flag = fleet.path('go');
  const id = await fleet.submit(plan(`until [ -e '${flag}' ]; do sleep 0.05; done`));
  const reader = readEvents(await fleet.request(`/v1/batches/${id}/events`));
  const first = await reader.next();
  expect(first?.event).toBe('batch');
  expect((first?.data as BatchEvent).stages).toHaveLength(2);

  fleet.makeFolder('go');
  const states = new Map<string, string>();
  let end: EndEvent | null = null;
  for (let event = await reader.next(); event !== null; event = await reader.next()) {
    if (event.event === 'stage') {
      for (const stage of (event.data as StageEvent).items) states.set(stage.key, stage.state);
    }
    if (event.event === 'end') {
      end = event.data as EndEvent;
      expect(Date.now() - Date.parse(end.finished_at ?? '')).toBeLessThan(1_000);
    }
  }
  expect(end).toMatchObject({ id, state: 'succeeded', succeeded: 2 });
  expect([...states].sort()).toEqual([
    ['first', 'done'],
    ['second', 'done'],
  ]);
  expect(await streams()).toBe(0);
});

test('a client that goes away frees everything', async () => {
  const id = await fleet.submit(plan('sleep 600'));
  const controller = new AbortController();
  const { signal } = controller;
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => fleet.request(`/v1/batches/${id}/events`, { signal })),
  );
  for (const answer of answers) expect((await readEvents(answer).next())?.event).toBe('batch');
  expect(await streams()).toBe(10);
  controller.abort();
  await until('the streams to be let go', async () => (await streams()) === 0);
  await fleet.request(`/v1/batches/${id}/cancel`, { method: 'POST' });
});

test('a server that closes ends its streams and does not wait for them', async () => {
  const other = new Fleet();
  const server = await other.startServer();
  const id = await other.submit(plan('true'));
  const reader = readEvents(await other.request(`/v1/batches/${id}/events`));
  expect((await reader.next())?.event).toBe('batch');
  const started = performance.now();
  const ended = server.terminate();
  for (let event = await reader.next(); event !== null; event = await reader.next()) {
    expect(event.event).not.toBe('end');
  }
  await ended;
  expect(performance.now() - started).toBeLessThan(4_000);
  await other.close();
});
