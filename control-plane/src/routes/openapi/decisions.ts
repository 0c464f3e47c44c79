import { decisionViewSchema, pageSchema } from '@planfleet/shared-types';
import { decisionsQuery } from '../request/queries.ts';
import { EXAMPLE_BATCH_ID } from './examples.ts';
import { jsonAnswer, type Operations } from './operation.ts';

export const decisionPageSchema = pageSchema(decisionViewSchema);

export const decisionOperations: Operations = {
  'GET /v1/decisions': {
    id: 'listDecisions',
    tag: 'decisions',
    summary: 'The decision log',
    description:
      'To follow it, ask again with `after` as the id of the last decision that was seen. An unknown batch has none.',
    scopes: ['read'],
    query: decisionsQuery,
    answers: {
      200: jsonAnswer('A page of decisions.', decisionPageSchema, {
        items: [
          {
            id: 12,
            at: '2026-11-22T14:22:36.000Z',
            type: 'RETRY',
            batch_id: EXAMPLE_BATCH_ID,
            stage: 'count',
            task: `${EXAMPLE_BATCH_ID}:count:3`,
            attempt: 1,
            agent: 'gpu-1',
            count: 1,
            message: 'count:3 failed and is tried again in 10 s.',
            details: null,
          },
        ],
        next_cursor: null,
      }),
    },
    problems: ['invalid'],
  },
};
