import {
  agentNameSchema,
  agentViewSchema,
  claimAnswerSchema,
  claimRequestSchema,
  heartbeatAnswerSchema,
  heartbeatRequestSchema,
  itemsRequestSchema,
  logsAnswerSchema,
  logsRequestSchema,
  okSchema,
  pageSchema,
  registerAnswerSchema,
  registerRequestSchema,
  resultsAnswerSchema,
  resultsRequestSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import { agentsQuery, claimQuery } from '../request/queries.ts';
import { EXAMPLE_LEASE_KEY } from './examples.ts';
import { JSON_BODY_PROBLEMS, jsonAnswer, jsonBody, type Operations } from './operation.ts';

export const agentPath = z.object({ name: agentNameSchema });

export const agentPageSchema = pageSchema(agentViewSchema);

const AGENT_PROBLEMS = [...JSON_BODY_PROBLEMS, 'session_superseded'] as const;

export const agentOperations: Operations = {
  'GET /v1/agents': {
    id: 'listAgents',
    tag: 'agents',
    summary: 'All agents, by name',
    scopes: ['read'],
    query: agentsQuery,
    answers: {
      200: jsonAnswer('A page of agents.', agentPageSchema, {
        items: [
          {
            name: 'gpu-1',
            state: 'connected',
            hostname: 'gpu-1.lan',
            version: '0.1.0',
            slots: 16,
            leased: 4,
            labels: ['a100'],
            last_seen_at: '2026-11-22T14:22:34.000Z',
          },
        ],
        next_cursor: null,
      }),
    },
    problems: ['invalid'],
  },
  'POST /v1/agents/register': {
    id: 'registerAgent',
    tag: 'agents',
    summary: 'Begin a session of an agent',
    description:
      "The first request of an agent's process. Leases that it holds and does not name under `have` are lost and ready again. " +
      "An agent whose protocol is older than the control plane's is answered 426.",
    scopes: ['agent'],
    body: jsonBody(registerRequestSchema, {
      protocol: 1,
      name: 'gpu-1',
      boot_id: '9b2f61c07d',
      started_at: 1_795_357_200_000,
      hostname: 'gpu-1.lan',
      version: '0.1.0',
      slots: 16,
      labels: ['a100'],
      storage: 'gpu-1',
      have: [],
    }),
    answers: {
      200: jsonAnswer('The session, and how often to call.', registerAnswerSchema, {
        session: 3,
        lease_ms: 35_000,
        heartbeat_ms: 10_000,
        poll_ms: 25_000,
        internal_cycle_ms: 5_000,
      }),
    },
    problems: [...AGENT_PROBLEMS, 'agent_too_old'],
  },
  'POST /v1/agents/{name}/claim': {
    id: 'claimTasks',
    tag: 'agents',
    summary: 'Ask for tasks',
    description:
      'Answered at once when there is something (tasks, or processes to stop), else held for `wait` seconds.',
    scopes: ['agent'],
    path: agentPath,
    query: claimQuery,
    body: jsonBody(claimRequestSchema, { session: 3, slots: 16, have: [40] }),
    answers: {
      200: jsonAnswer('Leases with the definitions of their stages.', claimAnswerSchema, {
        leases: [],
        stages: [],
        stops: [{ ...EXAMPLE_LEASE_KEY, kind: 'stop' }],
      }),
    },
    problems: AGENT_PROBLEMS,
  },
  'POST /v1/agents/{name}/results': {
    id: 'reportResults',
    tag: 'agents',
    summary: 'Report attempts that have ended, and ask for tasks',
    description: 'A report counts only under the lease that it names. Sending one again changes nothing.',
    scopes: ['agent'],
    path: agentPath,
    body: jsonBody(resultsRequestSchema, {
      session: 3,
      reports: [
        {
          ...EXAMPLE_LEASE_KEY,
          attempt: 1,
          outcome: 'succeeded',
          error_type: null,
          message: null,
          exit_code: 0,
          signal: null,
          tail: 'done\n',
          started_at: 1_795_357_354_100,
          ended_at: 1_795_357_355_000,
          lists: [],
          files: [],
        },
      ],
      claim: null,
    }),
    answers: {
      200: jsonAnswer('What became of each report, in their order.', resultsAnswerSchema, {
        results: ['accepted'],
        claim: null,
      }),
    },
    problems: AGENT_PROBLEMS,
  },
  'POST /v1/agents/{name}/heartbeat': {
    id: 'sendHeartbeat',
    tag: 'agents',
    summary: 'Say that the agent lives, and hear what to stop',
    scopes: ['agent'],
    path: agentPath,
    body: jsonBody(heartbeatRequestSchema, { session: 3, running: [EXAMPLE_LEASE_KEY] }),
    answers: { 200: jsonAnswer('What to end.', heartbeatAnswerSchema, { stops: [], gone: [] }) },
    problems: AGENT_PROBLEMS,
  },
  'POST /v1/agents/{name}/items': {
    id: 'sendItems',
    tag: 'agents',
    summary: 'Send chunks of a list ahead of the report that counts them',
    description: 'For lists that are too long for one request. Sending a chunk twice changes nothing.',
    scopes: ['agent'],
    path: agentPath,
    body: jsonBody(itemsRequestSchema, {
      session: 3,
      list: 7,
      lease: 41,
      chunks: [
        {
          offset: 0,
          sha256: 'fae5dc6b94fc0c25c5bb4cd2d3ae9ab1bea9ac96a3ea8ec2d8c71e4b25d0e8f6',
          items: [{ id: 'file0', name: 'notes.txt' }],
        },
      ],
    }),
    answers: { 200: jsonAnswer('They are stored.', okSchema, { ok: true }) },
    problems: [...AGENT_PROBLEMS, 'conflict'],
  },
  'POST /v1/agents/{name}/logs': {
    id: 'sendLogs',
    tag: 'agents',
    summary: 'Send output of running attempts',
    description:
      'One chunk of each attempt; sending one twice changes nothing. Under `arrived` are log files that were uploaded after their reports.',
    scopes: ['agent'],
    path: agentPath,
    body: jsonBody(logsRequestSchema, {
      session: 3,
      chunks: [
        {
          ...EXAMPLE_LEASE_KEY,
          attempt: 1,
          offset: 0,
          size: 5,
          encoding: 'identity',
          data: 'ZG9uZQo=',
          progress: 0.5,
          progress_text: null,
        },
      ],
      arrived: [],
    }),
    answers: {
      200: jsonAnswer('Which of them are not wanted, and when to send the next ones.', logsAnswerSchema, {
        refused: [],
        pace_ms: 1_000,
      }),
    },
    problems: AGENT_PROBLEMS,
  },
};
