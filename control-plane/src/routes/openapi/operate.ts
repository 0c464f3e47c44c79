import {
  agentDetailSchema,
  batchExplanationSchema,
  batchRetriedSchema,
  batchStateSchema,
  taskExplanationSchema,
  taskRetriedSchema,
  taskSignalledSchema,
} from '@planfleet/shared-types';
import { agentPath } from './agents.ts';
import { batchPath } from './batches.ts';
import { EXAMPLE_BATCH_ID, EXAMPLE_TASK } from './examples.ts';
import { jsonAnswer, type Operation, type Operations } from './operation.ts';
import { taskPath } from './tasks.ts';

const EXAMPLE_AGENT = {
  name: 'gpu-1',
  state: 'draining',
  hostname: 'gpu-1.lan',
  version: '0.1.0',
  slots: 16,
  leased: 1,
  labels: ['a100'],
  last_seen_at: '2026-11-22T14:22:34.000Z',
  storage: 'gpu-1',
  draining_since: '2026-11-22T14:20:00.000Z',
  tasks: [{ task: EXAMPLE_TASK.id, attempt: 1, since: '2026-11-22T14:22:34.000Z', signal: null }],
};

function onBatch(id: string, summary: string, description: string, state: string): Operation {
  return {
    id,
    tag: 'batches',
    summary,
    description,
    scopes: ['operate'],
    path: batchPath,
    answers: {
      200: jsonAnswer('Where it stands.', batchStateSchema, { batch_id: EXAMPLE_BATCH_ID, state }),
    },
    problems: ['not_found', 'conflict', 'invalid'],
  };
}

function signal(id: string, kind: 'abort' | 'kill', how: string): Operation {
  return {
    id,
    tag: 'tasks',
    summary: `End the running attempt of a task ${how}`,
    description:
      'The attempt has failed, and is tried again while the task has tries left. A task that does not run is a `conflict`.',
    scopes: ['operate'],
    path: taskPath,
    answers: {
      200: jsonAnswer('The agent is told.', taskSignalledSchema, {
        task: EXAMPLE_TASK.id,
        agent: 'gpu-1',
        signal: kind,
      }),
    },
    problems: ['not_found', 'conflict'],
  };
}

function onAgent(id: string, summary: string, description: string): Operation {
  return {
    id,
    tag: 'agents',
    summary,
    description,
    scopes: ['operate'],
    path: agentPath,
    answers: { 200: jsonAnswer('The agent.', agentDetailSchema, EXAMPLE_AGENT) },
    problems: ['not_found', 'invalid'],
  };
}

/** What operators do, and what they ask to know what to do. */
export const operateOperations: Operations = {
  'POST /v1/batches/{id}/pause': onBatch(
    'pauseBatch',
    'Give out no task of a batch for now',
    'What runs goes on. Pausing a paused batch changes nothing; one that has ended is a `conflict`.',
    'paused',
  ),
  'POST /v1/batches/{id}/resume': onBatch(
    'resumeBatch',
    'Let a paused batch go on',
    'Waiting agents are told at once. Resuming an active batch changes nothing; one that has ended is a `conflict`.',
    'active',
  ),
  'POST /v1/batches/{id}/retry': {
    id: 'retryBatch',
    tag: 'batches',
    summary: 'Try again everything that a batch gave up',
    description:
      'Every abandoned task is ready again with all its tries, within `max_failures` or not, and what was skipped for want of it waits again. ' +
      'What succeeded is kept, and stages that have succeeded are not run anew. A batch that has ended is active again. ' +
      'A batch without an abandoned task, and one that was cancelled, are a `conflict`.',
    scopes: ['operate'],
    path: batchPath,
    answers: {
      200: jsonAnswer('What was re-opened.', batchRetriedSchema, {
        batch_id: EXAMPLE_BATCH_ID,
        state: 'active',
        tasks: 3,
      }),
    },
    problems: ['not_found', 'conflict', 'invalid'],
  },
  'GET /v1/batches/{id}/explain': {
    id: 'explainBatch',
    tag: 'batches',
    summary: 'Why the stages of a batch that do not move do not',
    scopes: ['read'],
    path: batchPath,
    answers: {
      200: jsonAnswer('A reason for each of them.', batchExplanationSchema, {
        batch_id: EXAMPLE_BATCH_ID,
        state: 'active',
        reasons: [],
        stages: [
          {
            stage: 'merge',
            state: 'waiting',
            reasons: [
              {
                code: 'waits_for_stage',
                message: 'It waits for stage count: 7 of 12 tasks succeeded, 4 running.',
              },
            ],
            agents: [],
          },
        ],
      }),
    },
    problems: ['not_found', 'invalid'],
  },
  'GET /v1/tasks/{id}/explain': {
    id: 'explainTask',
    tag: 'tasks',
    summary: 'Why a task does not run, where it runs, or how it ended',
    scopes: ['read'],
    path: taskPath,
    answers: {
      200: jsonAnswer('Every reason, the weightiest first.', taskExplanationSchema, {
        task: EXAMPLE_TASK.id,
        state: 'ready',
        reasons: [{ code: 'no_agent_fits', message: 'No agent that is connected may take it.' }],
        agents: [
          { agent: 'gpu-1', reasons: [{ code: 'labels_missing', message: 'has not the label h100' }] },
        ],
      }),
    },
    problems: ['not_found'],
  },
  'POST /v1/tasks/{id}/retry': {
    id: 'retryTask',
    tag: 'tasks',
    summary: 'Try again a task that was given up',
    description:
      'Or at once one that waits for its next try. What was skipped for want of it waits again; its batch is active again.',
    scopes: ['operate'],
    path: taskPath,
    answers: {
      200: jsonAnswer('How many tasks were re-opened.', taskRetriedSchema, {
        task: EXAMPLE_TASK.id,
        tasks: 1,
      }),
    },
    problems: ['not_found', 'conflict'],
  },
  'POST /v1/tasks/{id}/abort': signal('abortTask', 'abort', 'with SIGTERM, and SIGKILL ten seconds later'),
  'POST /v1/tasks/{id}/kill': signal('killTask', 'kill', 'with SIGKILL at once'),
  'GET /v1/agents/{name}': {
    id: 'getAgent',
    tag: 'agents',
    summary: 'One agent with the tasks that it holds',
    scopes: ['read'],
    path: agentPath,
    answers: { 200: jsonAnswer('The agent.', agentDetailSchema, EXAMPLE_AGENT) },
    problems: ['not_found', 'invalid'],
  },
  'POST /v1/agents/{name}/drain': onAgent(
    'drainAgent',
    'Give an agent nothing new',
    'What it runs ends normally. It stays draining until it is resumed, also when it is started anew.',
  ),
  'POST /v1/agents/{name}/resume': onAgent(
    'resumeAgent',
    'Give a draining agent tasks again',
    'It is told at once. Resuming one that is not draining changes nothing.',
  ),
};
