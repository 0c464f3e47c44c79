import {
  batchIdSchema,
  batchStateSchema,
  batchViewSchema,
  fileViewSchema,
  pageSchema,
  stageViewSchema,
  submittedSchema,
  taskViewSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import type { ZodOpenApiMediaTypeObject } from 'zod-openapi';
import { batchesQuery, filesQuery, tasksQuery } from '../request/queries.ts';
import { bytesAnswer, notModified } from './blobs.ts';
import { EXAMPLE_BATCH, EXAMPLE_BATCH_ID, EXAMPLE_SHA256, EXAMPLE_STAGE, EXAMPLE_TASK } from './examples.ts';
import { jsonAnswer, type Operations } from './operation.ts';
import { SUBMISSION_PROBLEMS, submissionBody, submissionParameters } from './plans.ts';

export const batchPath = z.object({ id: batchIdSchema });
const filePath = z.object({
  id: batchIdSchema,
  path: z
    .string()
    .min(1)
    .meta({
      description: 'Path below `{BATCH_PATH}`. Its slashes may be sent as they are.',
      examples: ['output/words.csv'],
    }),
});

const page = (item: unknown) => ({ items: [item], next_cursor: null });

export const batchPageSchema = pageSchema(batchViewSchema);
export const stagePageSchema = pageSchema(stageViewSchema);
export const taskPageSchema = pageSchema(taskViewSchema);
export const filePageSchema = pageSchema(fileViewSchema);

export const batchOperations: Operations = {
  'POST /v1/batches': {
    id: 'submitBatch',
    tag: 'batches',
    summary: 'Submit a plan',
    description:
      'Send plan.md alone as `text/markdown` with the inputs in the address, or the plan folder as a form with the field `bundle`. ' +
      'A plan with errors is refused with all of them (422 `invalid_plan`), and nothing is stored.',
    scopes: ['submit'],
    parameters: submissionParameters,
    body: submissionBody,
    answers: {
      201: {
        ...jsonAnswer('The batch, and where to look next.', submittedSchema, {
          batch_id: EXAMPLE_BATCH_ID,
          plan_name: 'Word Count',
          stages: 3,
          tasks: 2,
          diagnostics: [],
          links: {
            self: `/v1/batches/${EXAMPLE_BATCH_ID}`,
            stages: `/v1/batches/${EXAMPLE_BATCH_ID}/stages`,
            tasks: `/v1/batches/${EXAMPLE_BATCH_ID}/tasks`,
            files: `/v1/batches/${EXAMPLE_BATCH_ID}/files`,
          },
        }),
        headers: { Location: { description: 'Address of the batch.', schema: { type: 'string' } } },
      },
    },
    problems: [...SUBMISSION_PROBLEMS, 'invalid_plan'],
    curl:
      '-H "Content-Type: text/markdown" --data-binary @plan.md ' +
      '"$URL/v1/batches?INPUT_FOLDER=/data/texts&OUTPUT_FILE=words.csv"',
  },
  'GET /v1/batches': {
    id: 'listBatches',
    tag: 'batches',
    summary: 'All batches, newest first',
    scopes: ['read'],
    query: batchesQuery,
    answers: { 200: jsonAnswer('A page of batches.', batchPageSchema, page(EXAMPLE_BATCH)) },
    problems: ['invalid'],
  },
  'GET /v1/batches/{id}': {
    id: 'getBatch',
    tag: 'batches',
    summary: 'One batch with its counts',
    scopes: ['read'],
    path: batchPath,
    answers: { 200: jsonAnswer('The batch.', batchViewSchema, EXAMPLE_BATCH) },
    problems: ['not_found', 'invalid'],
  },
  'GET /v1/batches/{id}/stages': {
    id: 'listStages',
    tag: 'batches',
    summary: 'The stages of a batch, in the order of the plan',
    description:
      'A stage is one `###` task of the plan. All of them come at once: `next_cursor` is always null.',
    scopes: ['read'],
    path: batchPath,
    answers: { 200: jsonAnswer('All stages.', stagePageSchema, page(EXAMPLE_STAGE)) },
    problems: ['not_found', 'invalid'],
  },
  'GET /v1/batches/{id}/tasks': {
    id: 'listTasks',
    tag: 'batches',
    summary: 'The tasks of a batch, in the order of the plan',
    description:
      'A page may be short, or empty, and still not be the last: go on until `next_cursor` is null.',
    scopes: ['read'],
    path: batchPath,
    query: tasksQuery,
    answers: { 200: jsonAnswer('A page of tasks.', taskPageSchema, page(EXAMPLE_TASK)) },
    problems: ['not_found', 'invalid'],
  },
  'GET /v1/batches/{id}/events': {
    id: 'watchBatch',
    tag: 'batches',
    summary: 'What happens in a batch, as server-sent events',
    description:
      'First `batch` with all its stages; then, when something has changed, `stage` with the stages that did and `batch`, ' +
      'twice a second at most; `end` with the final state, behind which the stream closes. ' +
      'The server ends a stream after some minutes (on Workers: 25 seconds). Come back with `Last-Event-ID`, as an EventSource does by itself: ' +
      'what was seen is not told again, and 204 says that the end was seen.',
    scopes: ['read'],
    path: batchPath,
    parameters: [
      {
        in: 'header',
        name: 'Last-Event-ID',
        description: 'The `id` of the last event that was received.',
        schema: { type: 'string' },
      },
    ],
    answers: {
      200: {
        description:
          'Events; the data of each is JSON: `batch` is a BatchEvent, `stage` a StageEvent, `end` a Batch. ' +
          'A comment every 15 seconds is a sign of life.',
        content: {
          'text/event-stream': {
            schema: z.string(),
            example: `id: 5d41402abc4b2a76\nevent: stage\ndata: ${JSON.stringify({ items: [EXAMPLE_STAGE] })}\n\n`,
            'x-events': {
              batch: { $ref: '#/components/schemas/BatchEvent' },
              stage: { $ref: '#/components/schemas/StageEvent' },
              end: { $ref: '#/components/schemas/Batch' },
            },
          } as ZodOpenApiMediaTypeObject,
        },
      },
      204: { description: 'The end was seen: there is nothing to come.' },
    },
    problems: ['not_found', 'invalid'],
    curl: `-N "$URL/v1/batches/${EXAMPLE_BATCH_ID}/events"`,
  },
  'POST /v1/batches/{id}/cancel': {
    id: 'cancelBatch',
    tag: 'batches',
    summary: 'Cancel a batch',
    description:
      'Nothing of it is started any more, and what runs is stopped. The state is `cancelling` until the last process is gone. ' +
      'Cancelling a batch again that is being cancelled changes nothing; one that has ended is a `conflict`.',
    scopes: ['operate'],
    path: batchPath,
    answers: {
      200: jsonAnswer('Where it stands.', batchStateSchema, {
        batch_id: EXAMPLE_BATCH_ID,
        state: 'cancelling',
      }),
    },
    problems: ['not_found', 'conflict', 'invalid'],
  },
  'GET /v1/batches/{id}/files': {
    id: 'listFiles',
    tag: 'batches',
    summary: 'The files that tasks of a batch sent back, by path',
    scopes: ['read'],
    path: batchPath,
    query: filesQuery,
    answers: {
      200: jsonAnswer(
        'A page of files.',
        filePageSchema,
        page({
          path: 'output/words.csv',
          size: 10,
          sha256: EXAMPLE_SHA256,
          task: `${EXAMPLE_BATCH_ID}:merge:0`,
          attempt: 1,
        }),
      ),
    },
    problems: ['not_found', 'invalid'],
  },
  'GET /v1/batches/{id}/files/{path}': {
    id: 'getFile',
    tag: 'batches',
    summary: 'The content of one file',
    description: 'A file is there once the task that names it under `produces` has succeeded.',
    scopes: ['read'],
    path: filePath,
    answers: { 200: bytesAnswer, 304: notModified },
    problems: ['not_found', 'invalid'],
    curl: `-o words.csv "$URL/v1/batches/${EXAMPLE_BATCH_ID}/files/output/words.csv"`,
  },
};
