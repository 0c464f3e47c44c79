import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from '../../../agent/src/client/api-client.ts';
import { createLinesView } from '../../../agent/src/client/progress/lines-view.ts';
import { watchBatch } from '../../../agent/src/client/watch-batch.ts';
import {
  type FakeControlPlane,
  type FakeRoutes,
  problem,
  startFakeControlPlane,
} from './fake-control-plane.ts';
import { BATCH, page, sampleBatch, sampleStage } from './sample-answers.ts';

const running: FakeControlPlane[] = [];
afterEach(async () => {
  for (const each of running.splice(0)) await each.close();
});
async function start(routes: FakeRoutes, port?: number): Promise<FakeControlPlane> {
  const fake = await startFakeControlPlane(routes, port);
  running.push(fake);
  return fake;
}
function watch(url: string, say: (line: string) => void, signal = new AbortController().signal, line_ms = 0) {
  const client = new ApiClient({ url, token: null });
  const view = createLinesView(say, line_ms);
  return watchBatch({ client, batch_id: BATCH, view, signal, first_poll_ms: 5, longest_poll_ms: 10 });
}

/** A batch whose stages are these, one look after the other; the last is its end. */
function looks(...stages: ReturnType<typeof sampleStage>[][]): FakeRoutes {
  let look = 0;
  return {
    [`GET /v1/batches/${BATCH}`]: () => ({
      json: sampleBatch(look < stages.length - 1 ? 'active' : 'succeeded'),
    }),
    [`GET /v1/batches/${BATCH}/stages`]: () => page(stages[Math.min(look++, stages.length - 1)] ?? []),
  };
}

describe('watching a batch', () => {
  it('prints a stage when its counts change, and only then', async () => {
    const scan = sampleStage('scan', { total: 1, succeeded: 1 }, 'done');
    const some = sampleStage('extract', { total: 4, succeeded: 1, leased: 1, backoff: 1, abandoned: 1 });
    const fake = await start(
      looks(
        [sampleStage('scan', { total: 1, leased: 1 }), sampleStage('extract', {}, 'waiting', false)],
        [scan, sampleStage('extract', {}, 'open', false)],
        [scan, sampleStage('extract', { total: 3, succeeded: 1 }, 'open', false)],
        [scan, some],
        [scan, some],
        [scan, some],
      ),
    );
    const lines: string[] = [];
    expect((await watch(fake.url, (line) => lines.push(line)))?.state).toBe('succeeded');
    expect(lines).toEqual([
      'scan 0/1 done, 1 running',
      'scan 1/1 done; extract waits for its list',
      'extract 1/3+ done',
      'extract 1/4 done, 1 running, 1 retrying, 1 failed',
    ]);
  });

  it('holds lines back when counts change all the time, but never the last', async () => {
    const many = Array.from({ length: 20 }, (_, index) => [
      sampleStage('extract', { total: 20, succeeded: index + 1 }),
    ]);
    const fake = await start(looks(...many));
    const lines: string[] = [];
    await watch(fake.url, (line) => lines.push(line), undefined, 60_000);
    expect(lines).toEqual(['extract 1/20 done', 'extract 20/20 done']);
  });

  it('outlives a control plane that is busy and then away, and says so once', async () => {
    let answers = 0;
    const first = await start({
      [`GET /v1/batches/${BATCH}`]: () =>
        answers++ === 0 ? { json: sampleBatch('active') } : problem(503, 'busy', 'later'),
      [`GET /v1/batches/${BATCH}/stages`]: () => page([]),
    });
    const lines: string[] = [];
    let isAway = () => {};
    const away = new Promise<void>((resolve) => {
      isAway = resolve;
    });
    const watched = watch(first.url, (line) => {
      lines.push(line);
      if (line.includes('does not answer')) isAway();
    });
    await away;
    await first.close();
    await start(looks([]), first.port);
    expect((await watched)?.state).toBe('succeeded');
    expect(lines).toEqual([
      'The control plane does not answer; trying again until it does. The batch is not affected.',
      'The control plane answers again.',
    ]);
  });

  it('does not try again when it is refused', async () => {
    const fake = await start({
      [`GET /v1/batches/${BATCH}`]: () => problem(404, 'not_found', 'no such batch'),
    });
    await expect(watch(fake.url, () => {})).rejects.toMatchObject({ exit_code: 2, message: 'no such batch' });
  });

  it('ends without an answer when it is interrupted', async () => {
    const fake = await start(looks([sampleStage('a', { total: 1 })], [], [], []));
    const stop = new AbortController();
    expect(await watch(fake.url, () => stop.abort(), stop.signal)).toBeNull();
  });
});

it('says that no agent is there when nothing runs for that reason', async () => {
  let agents = 0;
  const fake = await start({
    [`GET /v1/batches/${BATCH}`]: () => ({
      json: agents > 1 ? sampleBatch('succeeded') : sampleBatch('active', { total: 1, ready: 1 }),
    }),
    [`GET /v1/batches/${BATCH}/stages`]: () => page([]),
    'GET /v1/agents': () => {
      agents += 1;
      return page([]);
    },
  });
  const lines: string[] = [];
  await watch(fake.url, (line) => lines.push(line));
  expect(lines).toEqual([
    'No agent is connected, so nothing runs. Start one: planfleet agent',
    'An agent is connected.',
  ]);
});
