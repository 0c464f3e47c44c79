import { okSchema, tickReportSchema } from '@planfleet/shared-types';
import { jsonAnswer, type Operations, plainAnswer } from './operation.ts';

export const systemOperations: Operations = {
  'GET /healthz': {
    id: 'getHealth',
    tag: 'system',
    summary: 'Whether the process answers',
    description:
      'Says nothing of what stands behind it: a database that is away is no reason to restart the server.',
    scopes: [],
    answers: { 200: jsonAnswer('It answers.', okSchema, { ok: true }) },
  },
  'GET /readyz': {
    id: 'getReadiness',
    tag: 'system',
    summary: 'Whether requests can be served',
    scopes: [],
    answers: { 200: jsonAnswer('The database can be read.', okSchema, { ok: true }) },
  },
  'GET /metrics': {
    id: 'getMetrics',
    tag: 'system',
    summary: 'The numbers that a monitoring system asks for',
    description:
      'Prometheus text format: batches and tasks by state, agents, slots, leases, the age of the last tick. ' +
      'In a scrape configuration: `authorization: { credentials: TOKEN }`.',
    scopes: ['read'],
    answers: { 200: plainAnswer('Metrics, one family after the other.', 'text/plain') },
  },
  'GET /openapi.json': {
    id: 'getDescription',
    tag: 'system',
    summary: 'This description',
    scopes: [],
    answers: { 200: plainAnswer('OpenAPI 3.1.', 'application/json', { type: 'object' }) },
  },
  'GET /docs': {
    id: 'getDocs',
    tag: 'system',
    summary: 'This description as a page',
    scopes: [],
    answers: { 200: plainAnswer('A page that needs nothing else.', 'text/html') },
  },
  'GET /llms.txt': {
    id: 'getLlmsText',
    tag: 'system',
    summary: 'How to write and submit a plan, for a language model',
    scopes: [],
    answers: { 200: plainAnswer('Markdown.', 'text/plain') },
  },
  'POST /v1/tick': {
    id: 'tick',
    tag: 'system',
    summary: 'Do now what time causes',
    description:
      'Takes back the leases of dead machines, releases retries that are due, goes on with what a crash left half done. ' +
      "For installations whose timer is somebody else's cron; others tick by themselves. Two at once do no double work.",
    scopes: ['tick'],
    answers: {
      200: jsonAnswer('What it did.', tickReportSchema, {
        busy: false,
        leases_lost: 0,
        chunks_expanded: 2,
        retries_released: 1,
        tasks_skipped: 0,
        stages_settled: 0,
        chunks_swept: 0,
        logs_dropped: 0,
        rows_removed: 0,
        chunks_retried: 0,
        children_started: 0,
        children_ended: 0,
        children_cancelled: 0,
        children_paused: 0,
      }),
    },
  },
};
