import { planNameSchema, TASK_STATES } from '@planfleet/shared-types';
import * as z from 'zod';
import { cursorDescription, pageQuery, shownAs } from './read-query.ts';

/** What may stand behind the `?`, by route. The routes parse with these, and the API description is made from them. */

export const batchesQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'a cursor is what next_cursor said')
    .transform(Number)
    .nullable()
    .default(null)
    .describe(cursorDescription),
});

export const tasksQuery = z.strictObject({
  limit: pageQuery.limit,
  state: z.enum(TASK_STATES).nullable().default(null).describe('Only tasks in this state.'),
  stage: z.string().max(200).nullable().default(null).describe('Only tasks of this stage, by its key.'),
  cursor: z
    .string()
    .regex(/^\d{1,9}\.\d{1,9}$/, 'a cursor is what next_cursor said')
    .transform((text) => {
      const [position, ordinal] = text.split('.').map(Number);
      return { position: position ?? 0, ordinal: ordinal ?? 0 };
    })
    .nullable()
    .default(null)
    .describe(cursorDescription),
});

export const filesQuery = z.strictObject({
  ...pageQuery,
  cursor: z.string().max(4_096).nullable().default(null).describe(cursorDescription),
});

export const plansQuery = z.strictObject({
  limit: pageQuery.limit,
  cursor: planNameSchema.nullable().default(null).describe(cursorDescription),
});

export const planQuery = z.strictObject({
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'version is a number from 1')
    .transform(Number)
    .nullable()
    .default(null)
    .meta({ description: 'None: the newest one.', override: shownAs({ type: 'integer', minimum: 1 }) }),
});

export const planVersionsQuery = batchesQuery;

export const agentsQuery = z.strictObject(pageQuery);

export const tokensQuery = z.strictObject(pageQuery);

export const claimQuery = z.strictObject({
  wait: z
    .string()
    .regex(/^\d{1,2}(\.\d{1,3})?$/, 'wait is 0 to 25 seconds')
    .transform(Number)
    .pipe(z.number().max(25))
    .default(0)
    .meta({
      description: 'Seconds that the request is held while there is no work.',
      override: shownAs({ type: 'number', minimum: 0, maximum: 25, default: 0 }),
    }),
});
