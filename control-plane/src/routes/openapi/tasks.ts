import { attemptViewSchema, pageSchema, taskDetailSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { attemptsQuery, logsQuery } from '../request/queries.ts';
import { EXAMPLE_ATTEMPT, EXAMPLE_TASK } from './examples.ts';
import { jsonAnswer, type Operations } from './operation.ts';

/** Longer than a task's own shape: the id of a stage's only task may end after the stage. */
export const taskPath = z.object({
  id: z.string().meta({
    description: 'Id of a task, `BATCH:STAGE:ORDINAL`; of the only task of its stage, `BATCH:STAGE`.',
    examples: [EXAMPLE_TASK.id],
  }),
});

export const attemptPageSchema = pageSchema(attemptViewSchema);

export const taskOperations: Operations = {
  'GET /v1/tasks/{id}': {
    id: 'getTask',
    tag: 'tasks',
    summary: 'One task with its attempts',
    description:
      '`command` is the template of the plan; `history` holds the newest 50 attempts, the oldest of them first.',
    scopes: ['read'],
    path: taskPath,
    answers: {
      200: jsonAnswer('The task.', taskDetailSchema, {
        ...EXAMPLE_TASK,
        command: 'wc -w < {INPUT_FOLDER}/{ITEM.name}',
        history: [EXAMPLE_ATTEMPT],
      }),
    },
    problems: ['not_found'],
  },
  'GET /v1/tasks/{id}/attempts': {
    id: 'listAttempts',
    tag: 'tasks',
    summary: 'The attempts of a task',
    description: 'The oldest first. An attempt that is still running is not among them.',
    scopes: ['read'],
    path: taskPath,
    query: attemptsQuery,
    answers: {
      200: jsonAnswer('A page of attempts.', attemptPageSchema, {
        items: [EXAMPLE_ATTEMPT],
        next_cursor: null,
      }),
    },
    problems: ['not_found', 'invalid'],
  },
  'GET /v1/tasks/{id}/logs': {
    id: 'readLogs',
    tag: 'tasks',
    summary: 'The output of a task',
    description:
      'What there is, as text, with `[... N bytes missing ...]` where some is not here. With `follow=1` server-sent events: ' +
      '`log` (`attempt`, `offset`, `text`), `gap` (`attempt`, `offset`, `missing`) and at last `end` (`attempt`, `outcome`, `message`); ' +
      'a task that has not begun is waited for. A stream may end without `end`: come back with `Last-Event-ID`, as an EventSource does by itself.',
    scopes: ['read'],
    path: taskPath,
    query: logsQuery,
    parameters: [
      {
        in: 'header',
        name: 'Last-Event-ID',
        description: 'The `id` of the last event that was received, `ATTEMPT.OFFSET`.',
        schema: { type: 'string' },
      },
    ],
    answers: {
      200: {
        description: 'The output, or events.',
        content: {
          'text/plain': { schema: { type: 'string' } },
          'text/event-stream': {
            schema: { type: 'string' },
            example: `id: 1.5\nevent: log\ndata: ${JSON.stringify({ attempt: 1, offset: 0, text: 'done\n' })}\n\n`,
          },
        },
      },
    },
    problems: ['not_found', 'invalid'],
    curl: `-N "$URL/v1/tasks/${EXAMPLE_TASK.id}/logs?follow=1"`,
  },
};
