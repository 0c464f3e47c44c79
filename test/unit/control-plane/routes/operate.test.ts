import type {
  AgentDetail,
  BatchExplanation,
  BatchView,
  ClaimAnswer,
  DecisionView,
  HeartbeatAnswer,
  Page,
  TaskExplanation,
  TaskView,
} from '@planfleet/shared-types';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claim, LIST_PLAN, listPlan, planOf, register, report, submitPlan } from '../../../support/api.ts';
import { openTestApp, readJson, readProblem, type TestApp } from '../../../support/test-app.ts';

let server: TestApp;
let session: number;
beforeEach(async () => {
  server = await openTestApp();
  session = await register(server, 'one');
});
afterEach(() => server.close());

const operate = (path: string) => server.ask('operate', 'POST', `/v1/${path}`);
const read = async <T>(path: string) => readJson<T>(await server.ask('read', 'GET', `/v1/${path}`));
const stateOf = async (id: string) => (await read<BatchView>(`batches/${id}`)).state;
const tasksOf = async (id: string) =>
  (await read<Page<TaskView>>(`batches/${id}/tasks`)).items.map((task) => [task.stage, task.state]);
const FAILED = { outcome: 'failed', error_type: 'worker', message: 'exit code 3', exit_code: 3 } as const;

async function finish(answer: ClaimAnswer, change: Parameters<typeof report>[1] = {}): Promise<void> {
  const reports = answer.leases.map((lease) => report(lease, change));
  const response = await server.ask('agent', 'POST', '/v1/agents/one/results', {
    session,
    reports,
    claim: null,
  });
  expect(response.status).toBe(200);
}

/** What is given up after its last try. */
async function failAll(): Promise<void> {
  for (let attempt = 1; attempt <= 3; attempt++) {
    await finish(await claim(server, 'one', session), FAILED);
    server.clock.advance(30_000);
  }
}

test('a failed batch is retried: what was given up is ready with all its tries, what succeeded stays', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b'], ['c', 'b']));
  const answer = await claim(server, 'one', session);
  const [first] = answer.stages.filter((stage) => stage.key === 'a');
  await finish({ ...answer, leases: answer.leases.filter((lease) => lease.stage === first?.stage) });
  await finish({ ...answer, leases: answer.leases.filter((lease) => lease.stage !== first?.stage) }, FAILED);
  for (let attempt = 2; attempt <= 3; attempt++) {
    server.clock.advance(30_000);
    await finish(await claim(server, 'one', session), FAILED);
  }
  expect(await stateOf(batch_id)).toBe('failed');
  const response = await operate(`batches/${batch_id}/retry`);
  expect(await readJson(response)).toEqual({ batch_id, state: 'active', tasks: 1 });
  expect(await tasksOf(batch_id)).toEqual([
    ['a', 'succeeded'],
    ['b', 'ready'],
    ['c', 'waiting'],
  ]);
  const again = await claim(server, 'one', session);
  expect(again.leases.map((lease) => lease.attempt)).toEqual([4]);
  await finish(again);
  await finish(await claim(server, 'one', session));
  expect(await stateOf(batch_id)).toBe('succeeded');
});

test('a batch with nothing to retry says so', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const response = await operate(`batches/${batch_id}/retry`);
  const problem = await readProblem(response);
  expect([response.status, problem.code, problem.detail]).toEqual([
    409,
    'conflict',
    `Batch ${batch_id} has no abandoned task: there is nothing to retry.`,
  ]);
});

test('a paused batch gives out nothing, takes results, and goes on when it is resumed', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  const answer = await claim(server, 'one', session);
  for (let n = 0; n < 2; n++)
    expect(await readJson(await operate(`batches/${batch_id}/pause`))).toEqual({ batch_id, state: 'paused' });
  await finish(answer);
  expect((await claim(server, 'one', session)).leases).toEqual([]);
  expect(await tasksOf(batch_id)).toEqual([
    ['a', 'succeeded'],
    ['b', 'ready'],
  ]);
  const why = await read<TaskExplanation>(`tasks/${batch_id}:b/explain`);
  expect(why.reasons.map(({ code }) => code)).toEqual(['batch_paused']);
  for (let n = 0; n < 2; n++)
    expect(await readJson(await operate(`batches/${batch_id}/resume`))).toEqual({
      batch_id,
      state: 'active',
    });
  await finish(await claim(server, 'one', session));
  expect(await stateOf(batch_id)).toBe('succeeded');
});

test('a resume wakes an agent that waits', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  await operate(`batches/${batch_id}/pause`);
  const held = claim(server, 'one', session, { wait: 20 });
  await operate(`batches/${batch_id}/resume`);
  expect((await held).leases).toHaveLength(1);
});

test.each([
  'pause',
  'resume',
  'retry',
  'cancel',
])('%s of a batch that was cancelled is a conflict', async (action) => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  await operate(`batches/${batch_id}/cancel`);
  const response = await operate(`batches/${batch_id}/${action}`);
  expect([response.status, (await readProblem(response))['state']]).toEqual([409, 'cancelled']);
});

test.each([
  'batches/20261122_000000/pause',
  'batches/20261122_000000/resume',
  'batches/20261122_000000/retry',
  'tasks/20261122_000000:a:0/retry',
  'tasks/20261122_000000:a:0/abort',
  'tasks/20261122_000000:a:0/kill',
  'tasks/nonsense/kill',
  'agents/nobody/drain',
  'agents/nobody/resume',
])('%s is not found', async (path) => {
  expect((await operate(path)).status).toBe(404);
});

test('one task of a failed batch is retried, the others stay as they are', async () => {
  const { batch_id } = await submitPlan(server, listPlan(2));
  await failAll();
  const response = await operate(`tasks/${batch_id}:each:1/retry`);
  expect(await readJson(response)).toEqual({ task: `${batch_id}:each:1`, tasks: 1 });
  expect((await tasksOf(batch_id)).map(([, state]) => state)).toEqual(['abandoned', 'ready']);
  expect(await stateOf(batch_id)).toBe('active');
  const again = await operate(`tasks/${batch_id}:each:1/retry`);
  expect([again.status, (await readProblem(again))['state']]).toEqual([409, 'ready']);
});

test('a task that waits for its next try is tried at once', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  await finish(await claim(server, 'one', session), FAILED);
  expect((await claim(server, 'one', session)).leases).toEqual([]);
  expect((await operate(`tasks/${batch_id}:a/retry`)).status).toBe(200);
  expect((await claim(server, 'one', session)).leases).toMatchObject([{ attempt: 2 }]);
});

test('an abort is told to the agent with its kind, then a kill; the attempt has failed, whatever the agent calls it', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const answer = await claim(server, 'one', session);
  const task = `${batch_id}:a:0`;
  const stops = async () =>
    (await claim(server, 'one', session, { have: [1] })).stops.map(({ kind }) => kind);
  for (const kind of ['abort', 'kill'] as const) {
    expect(await readJson(await operate(`tasks/${task}/${kind}`))).toEqual({
      task,
      agent: 'one',
      signal: kind,
    });
    expect(await stops()).toEqual([kind]);
    // Told once by claims; heartbeats repeat it.
    expect(await stops()).toEqual([]);
  }
  await operate(`tasks/${task}/abort`);
  const running = answer.leases.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease }));
  const beat = await server.ask('agent', 'POST', '/v1/agents/one/heartbeat', { session, running });
  expect((await readJson<HeartbeatAnswer>(beat)).stops).toMatchObject([{ kind: 'kill' }]);
  await finish(answer, { outcome: 'stopped' });
  const detail = await read<{ state: string; tries: number; history: { outcome: string }[] }>(
    `tasks/${task}`,
  );
  expect(detail).toMatchObject({ state: 'backoff', tries: 1, history: [{ outcome: 'failed' }] });
  const { items } = await read<Page<DecisionView>>('decisions');
  expect(items.map(({ type }) => type)).toEqual(['RETRY', 'KILL', 'ABORT', 'PLAN_PARSED']);
  expect((await operate(`tasks/${task}/abort`)).status).toBe(409);
});

test('a task that is aborted when its batch is cancelled ends as cancelled', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a']));
  const answer = await claim(server, 'one', session);
  await operate(`tasks/${batch_id}:a/abort`);
  await operate(`batches/${batch_id}/cancel`);
  expect(await readJson(await operate(`tasks/${batch_id}:a/kill`))).toMatchObject({ signal: 'stop' });
  await finish(answer, FAILED);
  expect(await stateOf(batch_id)).toBe('cancelled');
});

test('a draining agent takes nothing new, keeps what it runs, and takes again when it is resumed', async () => {
  const { batch_id } = await submitPlan(server, listPlan(3));
  const running = await claim(server, 'one', session, { slots: 1 });
  const drained = await readJson<AgentDetail>(await operate('agents/one/drain'));
  expect(drained).toMatchObject({
    state: 'draining',
    draining_since: '2026-11-22T12:00:00.000Z',
    tasks: [{ task: `${batch_id}:each:0`, attempt: 1, signal: null }],
  });
  expect((await claim(server, 'one', session, { have: [1] })).leases).toEqual([]);
  await finish(running);
  // A new process of it does not know, and need not.
  session = await register(server, 'one', { boot_id: 'another-process', started_at: 2 });
  const held = claim(server, 'one', session, { wait: 20 });
  expect((await read<AgentDetail>('agents/one')).state).toBe('draining');
  expect((await readJson<AgentDetail>(await operate('agents/one/resume'))).state).toBe('connected');
  expect((await held).leases).toHaveLength(2);
});

test('each stage that does not move says why', async () => {
  const { batch_id } = await submitPlan(server, planOf(['a'], ['b', 'a']));
  await operate('agents/one/drain');
  const why = await read<BatchExplanation>(`batches/${batch_id}/explain`);
  expect(why.stages.map(({ stage, reasons }) => [stage, reasons.map(({ code }) => code)])).toEqual([
    ['a', ['no_agent_fits']],
    ['b', ['waits_for_stage']],
  ]);
  expect(why.stages[0]?.agents).toEqual([
    {
      agent: 'one',
      reasons: [
        {
          code: 'draining',
          message: expect.stringMatching(
            /^draining since 2026-11-22T12:00:00.000Z \(0 s\); planfleet agents resume \S+ ends that$/,
          ),
        },
      ],
    },
  ]);
});

test('a task of a list that is not written yet says who writes it; one that can never be is not found', async () => {
  const { batch_id } = await submitPlan(server, LIST_PLAN);
  const why = await read<TaskExplanation>(`tasks/${batch_id}:each:7/explain`);
  expect(why).toMatchObject({ state: null, reasons: [{ code: 'list_unknown' }] });
  expect(why.reasons[0]?.message).toMatch(/stage scan writes it/);
  const wrong = await server.ask('read', 'GET', `/v1/tasks/${batch_id}:scan:7/explain`);
  expect(wrong.status).toBe(404);
});
