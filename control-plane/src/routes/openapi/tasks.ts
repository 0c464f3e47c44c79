import { attemptViewSchema, pageSchema, taskDetailSchema } from '@planfleet/shared-types';
import * as z from 'zod';
import { attemptsQuery } from '../request/queries.ts';
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
};
