import {
  batchIdSchema,
  batchStateSchema,
  batchViewSchema,
  deletedBatchSchema,
  fileViewSchema,
  pageSchema,
  stageViewSchema,
  submittedSchema,
  taskViewSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import type { oas31, ZodOpenApiMediaTypeObject } from 'zod-openapi';
import { batchesQuery, filesQuery, stagesQuery, tasksQuery } from '../request/queries.ts';
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

const SUBMITTED = {
  batch_id: EXAMPLE_BATCH_ID,
  plan_name: 'Word Count',
  plan_version: null,
  stages: 3,
  tasks: 2,
  diagnostics: [],
  links: {
    self: `/v1/batches/${EXAMPLE_BATCH_ID}`,
    stages: `/v1/batches/${EXAMPLE_BATCH_ID}/stages`,
    tasks: `/v1/batches/${EXAMPLE_BATCH_ID}/tasks`,
    files: `/v1/batches/${EXAMPLE_BATCH_ID}/files`,
  },
};

const LOCATION = { description: 'Address of the batch.', schema: { type: 'string' as const } };

const idempotencyKey: oas31.ParameterObject = {
  in: 'header',
  name: 'Idempotency-Key',
  description:
    'Any text that no other submission of the same token subject has, such as a random UUID. It holds for as long as the batch is there.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[\\x20-\\x7e]+$' },
};

export const batchOperations: Operations = {
  'POST /v1/batches': {
    id: 'submitBatch',
    tag: 'batches',
    summary: 'Submit a plan',
    description:
      'Send plan.md alone as `text/markdown` with the inputs in the address, or the plan folder as a form with the field `bundle`. ' +
      'Or send the name of a registered plan as `application/json`. ' +
      'A plan with errors is refused with all of them (422 `invalid_plan`), and nothing is stored. ' +
      'With an `Idempotency-Key` the same submission may be sent again when its answer was lost: there is one batch.',
    scopes: ['submit'],
    parameters: [...submissionParameters, idempotencyKey],
    body: submissionBody,
    answers: {
      200: {
        ...jsonAnswer(
          'It was submitted before under the same key: the first answer again.',
          submittedSchema,
          SUBMITTED,
        ),
        headers: {
          Location: LOCATION,
          'Idempotency-Replayed': {
            description: 'Always `true`.',
            schema: { type: 'string', const: 'true' },
          },
        },
      },
      201: {
        ...jsonAnswer('The batch, and where to look next.', submittedSchema, SUBMITTED),
        headers: { Location: LOCATION },
      },
    },
    problems: [...SUBMISSION_PROBLEMS, 'invalid_plan', 'idempotency_mismatch'],
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
    description: 'A stage is one `###` task of the plan.',
    scopes: ['read'],
    path: batchPath,
    query: stagesQuery,
    answers: { 200: jsonAnswer('A page of stages.', stagePageSchema, page(EXAMPLE_STAGE)) },
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
      'First `batch` with all its stages; then, when something has changed, `decision` with what was decided, `stage` with the stages that changed, and `batch`, ' +
      'three times in two seconds at most; `end` with the final state, behind which the stream closes. ' +
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
          'Events; the data of each is JSON: `batch` is a BatchEvent, `decision` a DecisionEvent, `stage` a StageEvent, `end` a Batch. ' +
          'A comment every 15 seconds is a sign of life.',
        content: {
          'text/event-stream': {
            schema: z.string(),
            example: `id: 5d41402abc4b2a76.12\nevent: stage\ndata: ${JSON.stringify({ items: [EXAMPLE_STAGE] })}\n\n`,
            'x-events': {
              batch: { $ref: '#/components/schemas/BatchEvent' },
              decision: { $ref: '#/components/schemas/DecisionEvent' },
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
  'DELETE /v1/batches/{id}': {
    id: 'deleteBatch',
    tag: 'batches',
    summary: 'Delete a batch that has ended',
    description:
      'It is gone from every view at once, with its tasks, their attempts and the list of its files; nothing brings it back. ' +
      'The content of its files stays stored as blobs. One that has not ended is a `conflict`: cancel it first.',
    scopes: ['operate'],
    path: batchPath,
    answers: {
      200: jsonAnswer('It is deleted.', deletedBatchSchema, { batch_id: EXAMPLE_BATCH_ID, deleted: true }),
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
