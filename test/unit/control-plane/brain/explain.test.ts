import { AGENT_REASON_CODES, REASON_CODES } from '@planfleet/shared-types';
import { afterAll, expect, test } from 'vitest';
import { explainBatch } from '../../../../control-plane/src/brain/explain/explain-batch.ts';
import { explainTask } from '../../../../control-plane/src/brain/explain/explain-task.ts';
import type {
  AgentFacts,
  BatchFacts,
  StageAhead,
  StageFacts,
  TaskFacts,
} from '../../../../control-plane/src/store/queries/read-facts.ts';

/** 2026-11-22 12:00 UTC. */
const NOW = 1_795_348_800_000;
const ID = '20261122_120000';

const ahead = (change: Partial<StageAhead> = {}): StageAhead => ({
  key: 'scan',
  state: 'open',
  total: 10,
  succeeded: 7,
  leased: 2,
  abandoned: 0,
  skipped: 0,
  expanded: true,
  ...change,
});
const stage = (change: Partial<StageFacts> = {}): StageFacts => ({
  ...ahead({ key: 'cut', succeeded: 0, leased: 0 }),
  task_class: 'cpu',
  is_cpu: true,
  labels: [],
  priority: 5,
  storage: null,
  max_attempts: 3,
  waiting: 0,
  ready: 4,
  backoff: 0,
  cancelled: 0,
  retry_at: null,
  ready_before: 0,
  list: null,
  ahead: [],
  ...change,
});
const agent = (change: Partial<AgentFacts> = {}): AgentFacts => ({
  name: 'gpu-1',
  expires_at: NOW + 30_000,
  last_seen_at: NOW - 5_000,
  draining_at: null,
  slots: 4,
  leased: 0,
  labels: [],
  storage: 'disk',
  ...change,
});
const task = (change: Partial<TaskFacts> = {}): TaskFacts => ({
  ordinal: 3,
  state: 'ready',
  attempt: 0,
  tries: 0,
  losses: 0,
  not_before: null,
  agent: null,
  leased_at: null,
  agent_seen_at: null,
  signal: null,
  last: null,
  above: [],
  above_count: 0,
  ...change,
});
const batch = (change: Partial<BatchFacts> = {}): BatchFacts => ({
  now: NOW,
  batch_id: ID,
  state: 'active',
  stages: [],
  agents: [agent()],
  ...change,
});
const last = { outcome: 'failed', agent: 'gpu-1', message: 'exit code 3', ended_at: NOW - 60_000 };
const above = (state: TaskFacts['state']) => [{ key: 'scan', ordinal: 3, state }];

interface Case {
  readonly batch?: Partial<BatchFacts>;
  readonly stage?: Partial<StageFacts>;
  readonly task?: Partial<TaskFacts> | null;
  /** Code and text of every reason, in order. */
  readonly expected: readonly (readonly [string, string])[];
}

const CASES: Record<string, Case> = {
  'its stage waits for another one': {
    stage: { state: 'waiting', ahead: [ahead()] },
    expected: [['waits_for_stage', 'It waits for stage scan: 7 of 10 tasks succeeded, 2 running.']],
  },
  'of which not all tasks are known': {
    stage: { state: 'waiting', ahead: [ahead({ expanded: false, leased: 0 })] },
    expected: [['waits_for_stage', 'It waits for stage scan: 7 of 10 or more tasks succeeded.']],
  },
  'a stage that it depends on failed': {
    batch: { state: 'failed' },
    stage: { state: 'waiting', ahead: [ahead({ state: 'failed', abandoned: 1 })] },
    expected: [
      ['batch_ended', `The batch has ended: failed; planfleet retry ${ID} tries again what was abandoned.`],
      ['stage_failed', 'It depends on stage scan, which failed: 1 task abandoned.'],
    ],
  },
  'a stage that it depends on failed for want of others alone': {
    batch: { state: 'failed' },
    stage: { state: 'waiting', ahead: [ahead({ state: 'failed', skipped: 2 })] },
    expected: [
      ['batch_ended', `The batch has ended: failed; planfleet retry ${ID} tries again what was abandoned.`],
      ['stage_failed', 'It depends on stage scan, which failed: 2 tasks skipped for want of others.'],
    ],
  },
  'its item is not done in the stage before': {
    stage: { waiting: 4 },
    task: { state: 'waiting', above: above('leased'), above_count: 3 },
    expected: [
      ['waits_for_task', 'It waits for scan:3, which is running.'],
      ['waits_for_task', 'And for 2 other tasks of its items.'],
    ],
  },
  'its item was lost a moment ago': {
    task: { state: 'waiting', above: above('abandoned'), above_count: 1 },
    expected: [['task_lost', 'It needs scan:3, which is abandoned.']],
  },
  'nobody has written its list': {
    stage: { expanded: false, list: { path: 'items.json', producer: 'scan', count: null, cursor: 0 } },
    task: null,
    expected: [['list_unknown', 'Its list items.json is not written yet; stage scan writes it.']],
  },
  'its list is being made into tasks': {
    stage: { expanded: false, list: { path: 'items.json', producer: 'scan', count: 900, cursor: 500 } },
    task: null,
    expected: [['not_expanded', 'Its list is being made into tasks: 500 of 900 items so far.']],
  },
  'it waits for its next try': {
    task: { state: 'backoff', tries: 1, attempt: 1, not_before: NOW + 4_000, last },
    expected: [
      [
        'backoff',
        'Try 1 of 3 failed; it is tried again not before 2026-11-22T12:00:04.000Z (in 4 s). The last error: exit code 3',
      ],
    ],
  },
  'it is due': {
    task: { state: 'backoff', tries: 2, attempt: 2, not_before: NOW - 1 },
    expected: [['backoff', 'Try 2 of 3 failed; it is tried again now.']],
  },
  'its batch is paused': {
    batch: { state: 'paused' },
    expected: [['batch_paused', `The batch is paused; planfleet resume ${ID} lets it go on.`]],
  },
  'its batch is being cancelled': {
    batch: { state: 'cancelling' },
    expected: [['batch_cancelling', 'The batch is being cancelled; its last processes end.']],
  },
  'others come first': {
    stage: { ready_before: 12 },
    expected: [['behind_priority', '12 ready tasks of higher priority come first.']],
  },
  'it is its turn': {
    expected: [['turn', 'It is ready, with 3 others of its stage, and will be taken at any moment.']],
  },
  'it is its turn, alone': {
    stage: { ready: 1 },
    expected: [['turn', 'It is ready and will be taken at any moment.']],
  },
  'all slots are taken': {
    batch: { agents: [agent({ leased: 4 })] },
    expected: [['turn', 'It is ready and waits for a free slot.']],
  },
  'no machine ever connected': {
    batch: { agents: [] },
    expected: [['no_agent', 'No agent has ever connected; `planfleet agent` adds a machine.']],
  },
  'no machine is connected': {
    batch: { agents: [agent({ expires_at: null })] },
    expected: [['no_agent', 'No agent is connected.']],
  },
  'no machine fits': {
    stage: { labels: ['a100'], ready_before: 1 },
    expected: [
      ['no_agent_fits', 'No agent that is connected may take it.'],
      ['behind_priority', '1 ready task of higher priority comes first.'],
    ],
  },
  'it runs': {
    task: {
      state: 'leased',
      attempt: 2,
      agent: 'gpu-1',
      leased_at: NOW - 300_000,
      agent_seen_at: NOW - 4_000,
    },
    expected: [
      [
        'running',
        'Attempt 2 runs on gpu-1 since 2026-11-22T11:55:00.000Z (5 min); the agent was heard of 4 s ago.',
      ],
    ],
  },
  'it is being killed': {
    task: {
      state: 'leased',
      attempt: 1,
      agent: 'gpu-1',
      leased_at: NOW,
      agent_seen_at: NOW,
      signal: 'kill',
    },
    expected: [
      ['signalled', 'gpu-1 was told to kill it and has not said yet that its processes are gone.'],
      [
        'running',
        'Attempt 1 runs on gpu-1 since 2026-11-22T12:00:00.000Z (0 s); the agent was heard of 0 s ago.',
      ],
    ],
  },
  'it succeeded': {
    task: { state: 'succeeded', attempt: 2, last: { ...last, outcome: 'succeeded', message: null } },
    expected: [['succeeded', 'It succeeded with attempt 2 on gpu-1 at 2026-11-22T11:59:00.000Z.']],
  },
  'it was given up': {
    task: { state: 'abandoned', attempt: 3, last },
    expected: [
      [
        'abandoned',
        `It was given up after 3 attempts, the last on gpu-1 at 2026-11-22T11:59:00.000Z: exit code 3 (planfleet retry ${ID}:cut:3 tries it again)`,
      ],
    ],
  },
  'it was skipped': {
    task: { state: 'skipped', above: above('abandoned'), above_count: 1 },
    expected: [['skipped', 'It was skipped for want of scan:3 (abandoned).']],
  },
  'it was cancelled': {
    task: { state: 'cancelled' },
    expected: [['cancelled', 'It was cancelled with its batch.']],
  },
};

const told = new Set<string>();

test.each(Object.entries(CASES))('a task says that %s', (_name, each) => {
  const own = stage(each.stage);
  const facts = batch({ stages: [own], ...each.batch });
  const address = { batch_id: ID, stage_key: 'cut', ordinal: 3 };
  const { reasons } = explainTask(address, facts, own, each.task === null ? null : task(each.task));
  expect(reasons.map(({ code, message }) => [code, message])).toEqual(each.expected);
  for (const { code } of reasons) told.add(code);
});

test.each<[string, Partial<AgentFacts>, Partial<StageFacts>, string]>([
  [
    'missing',
    { expires_at: NOW - 1, last_seen_at: NOW - 200_000 },
    {},
    'missing since 2026-11-22T11:56:40.000Z (3 min)',
  ],
  [
    'draining',
    { draining_at: NOW - 10_000 },
    {},
    'draining since 2026-11-22T11:59:50.000Z (10 s); planfleet agents resume gpu-1 ends that',
  ],
  ['slots_full', { leased: 4 }, {}, 'slots full (4 of 4)'],
  ['labels_missing', { labels: ['x'] }, { labels: ['x', 'a100', 'nvme'] }, 'has not the labels a100, nvme'],
  ['class', {}, { is_cpu: false, task_class: 'llm' }, 'takes no tasks of class llm'],
  [
    'other_storage',
    {},
    { storage: 'elsewhere' },
    "the batch's files are on the storage of another machine, where its first task ran",
  ],
])('an agent says that it is %s', (code, change, of, message) => {
  const own = stage(of);
  const facts = batch({
    stages: [own],
    agents: [agent(change), agent({ name: 'gpu-2', labels: [...own.labels] })],
  });
  const address = { batch_id: ID, stage_key: 'cut', ordinal: 3 };
  const { agents } = explainTask(address, facts, own, task());
  expect(agents[0]).toEqual({ agent: 'gpu-1', reasons: [{ code, message }] });
  told.add(code);
});

test('a batch names its stages that do not move, and only those', () => {
  const stages = [
    stage({ key: 'done', state: 'done', ready: 0 }),
    stage({ key: 'moves', leased: 1 }),
    stage({ key: 'late', ready: 0, backoff: 2, retry_at: NOW + 60_000 }),
    stage({ key: 'items', ready: 0, waiting: 5 }),
    stage({ key: 'later', state: 'waiting', ahead: [ahead()] }),
    stage({ key: 'lost', state: 'failed', ready: 0, abandoned: 3, skipped: 1 }),
    stage({ key: 'stuck', labels: ['a100'] }),
  ];
  const { reasons, stages: explained } = explainBatch(batch({ stages }));
  expect(reasons).toEqual([]);
  expect(explained.map((each) => [each.stage, each.reasons.map(({ message }) => message)])).toEqual([
    ['late', ['2 tasks failed and will be tried again, the first at 2026-11-22T12:01:00.000Z (in 60 s).']],
    ['items', ['5 tasks wait for the tasks of their items in the stages before.']],
    ['later', ['It waits for stage scan: 7 of 10 tasks succeeded, 2 running.']],
    ['lost', ['It failed: 3 tasks abandoned, 1 skipped for want of others.']],
    ['stuck', ['No agent that is connected may take it.']],
  ]);
  expect(explained.at(-1)?.agents).toEqual([
    { agent: 'gpu-1', reasons: [{ code: 'labels_missing', message: 'has not the label a100' }] },
  ]);
});

test('a paused batch says of each stage what it holds back', () => {
  const stages = [stage({ key: 'one', ready: 1 }), stage({ key: 'more', ready: 7, waiting: 2 })];
  const { stages: explained } = explainBatch(batch({ state: 'paused', stages }));
  expect(explained.map((each) => each.reasons.map(({ message }) => message))).toEqual([
    ['1 task is ready and held back while the batch is paused.'],
    ['7 tasks are ready and held back while the batch is paused.'],
  ]);
});

afterAll(() => {
  expect([...told].sort()).toEqual([...REASON_CODES, ...AGENT_REASON_CODES].sort());
});
