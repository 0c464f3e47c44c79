import {
  agentNameSchema,
  batchIdSchema,
  DECISION_TYPES,
  fileReportSchema,
  jtiSchema,
  planNameSchema,
  TASK_STATES,
} from '@planfleet/shared-types';
import * as z from 'zod';
import {
  cursorBehind,
  cursorBehindAttempt,
  cursorBehindNumber,
  cursorBehindPair,
  limitUpTo,
  pageQuery,
  shownAs,
} from './read-query.ts';

/** What may stand behind the `?`, by route. The routes parse with these, and the API description is made from them. */

export const batchesQuery = z.strictObject({ ...pageQuery, cursor: cursorBehindNumber });

export const stagesQuery = z.strictObject({ ...pageQuery, cursor: cursorBehindNumber });

export const tasksQuery = z.strictObject({
  ...pageQuery,
  state: z.enum(TASK_STATES).nullable().default(null).describe('Only tasks in this state.'),
  stage: z.string().max(200).nullable().default(null).describe('Only tasks of this stage, by its key.'),
  cursor: cursorBehindPair,
});

/** Few at a time: each may carry 64 KiB of output. */
export const attemptsQuery = z.strictObject({ limit: limitUpTo(50, 50), cursor: cursorBehindNumber });

export const timelineQuery = z.strictObject({ ...pageQuery, cursor: cursorBehindAttempt });

export const filesQuery = z.strictObject({
  ...pageQuery,
  cursor: cursorBehind(fileReportSchema.shape.path),
  prefix: z.string().max(4_096).default('').describe('Only paths that begin with it.'),
});

export const plansQuery = z.strictObject({ ...pageQuery, cursor: cursorBehind(planNameSchema) });

export const planQuery = z.strictObject({
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'version is a number from 1')
    .transform(Number)
    .nullable()
    .default(null)
    .meta({ description: 'None: the newest one.', override: shownAs({ type: 'integer', minimum: 1 }) }),
});

export const planVersionsQuery = z.strictObject({ ...pageQuery, cursor: cursorBehindNumber });

export const agentsQuery = z.strictObject({ ...pageQuery, cursor: cursorBehind(agentNameSchema) });

export const tokensQuery = z.strictObject({ ...pageQuery, cursor: cursorBehind(jtiSchema) });

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

/** `after` is for followers: what came after a decision they know, oldest first. */
export const decisionsQuery = z.strictObject({
  limit: pageQuery.limit,
  batch: batchIdSchema.nullable().default(null).describe('Only those about this batch.'),
  type: z.enum(DECISION_TYPES).nullable().default(null).describe('Only those of this type.'),
  order: z
    .enum(['newest', 'oldest'])
    .optional()
    .describe('Which come first: the newest, unless `after` is given.'),
  cursor: cursorBehindNumber,
  after: cursorBehindNumber.describe('Only those after this one, oldest first: for followers.'),
});

const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, 'it is a whole number')
  .transform(Number);

export const logsQuery = z.strictObject({
  attempt: wholeNumber
    .pipe(z.int().min(1))
    .nullable()
    .default(null)
    .meta({
      description: 'The attempt; none: the one that runs, or the newest.',
      override: shownAs({ type: 'integer', minimum: 1 }),
    }),
  offset: wholeNumber.default(0).meta({
    description: 'Bytes of output to leave out at the start.',
    override: shownAs({ type: 'integer', minimum: 0, default: 0 }),
  }),
  follow: z
    .enum(['0', '1'], 'follow is 0 or 1')
    .default('0')
    .describe('1: server-sent events until the attempt ends.'),
});
