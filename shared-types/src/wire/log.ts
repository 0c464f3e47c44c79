import * as z from 'zod';
import { sha256Schema } from '../ids.ts';
import { LOG_NAME } from '../log-name.ts';
import { text } from '../well-formed.ts';

/** Bytes of output in one chunk, before compression: what a busy task prints while one request is under way. */
export const MAX_LOG_CHUNK_BYTES = 262_144;
/** Base64 of a chunk that does not compress. */
const MAX_DATA_CHARS = 360_000;

const count = z.int().nonnegative();

/**
 * A piece of the output of a running attempt. Offsets count the bytes that the task has written since it
 * started, so that a piece left out shows as a gap, and one sent twice changes nothing.
 */
export const logChunkSchema = z.strictObject({
  stage: z.int(),
  ordinal: count,
  lease: z.int().positive(),
  attempt: z.int().positive(),
  offset: count,
  /** Bytes of output in it. */
  size: z.int().min(1).max(MAX_LOG_CHUNK_BYTES),
  encoding: z.enum(['gzip', 'identity']),
  data: z
    .string()
    .max(MAX_DATA_CHARS)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'data is base64'),
  /** How far the task says it is, from 0 to 1; null: it has said nothing. */
  progress: z.number().min(0).max(1).nullable(),
  progress_text: text().max(200).nullable(),
});
export type LogChunk = z.infer<typeof logChunkSchema>;

export const logsRequestSchema = z.strictObject({
  session: count,
  /** At most one for each attempt. */
  chunks: z.array(logChunkSchema).max(1_000),
  /** Log files that were uploaded after their reports. */
  arrived: z
    .array(
      z.strictObject({ stage: z.int(), ordinal: count, attempt: z.int().positive(), sha256: sha256Schema }),
    )
    .max(1_000)
    .default([]),
});
export type LogsRequest = z.input<typeof logsRequestSchema>;

export const logsAnswerSchema = z.object({
  /** Places in `chunks` of those whose attempt is no longer this agent's: nothing more of it is wanted. */
  refused: z.array(z.int()),
  /** The next chunks are wanted this long after these, in ms: soon while somebody reads along. */
  pace_ms: z.int().positive(),
});
export type LogsAnswer = z.infer<typeof logsAnswerSchema>;

/**
 * The output of an attempt as a file of the batch: `size` bytes were written, of which the first `head` and the
 * last `tail` are in it, with a line in between that says so where some are missing.
 */
export const logReportSchema = z
  .strictObject({
    /** Of the task, as a file name. */
    name: z.string().regex(LOG_NAME),
    size: count,
    head: count,
    tail: count,
    /** Bytes of the file. */
    stored: count,
    sha256: sha256Schema,
    /** `tail`: the file is the report's tail; `blob`: it is uploaded; `machine`: it is on the agent's disk, and may follow. */
    kept: z.enum(['tail', 'blob', 'machine']),
  })
  .refine(
    ({ size, head, tail, stored }) => head + tail <= size && head + tail <= stored,
    'these sizes disagree',
  );
export type LogReport = z.infer<typeof logReportSchema>;

/** Events of `GET /v1/tasks/:id/logs?follow=1`; their ids are `ATTEMPT.OFFSET`, for `Last-Event-ID`. */
export const logEventSchema = z.object({
  attempt: z.int().positive(),
  /** Bytes of output before it. */
  offset: count,
  text: z.string(),
});
export type LogEvent = z.infer<typeof logEventSchema>;

export const logGapEventSchema = z.object({
  attempt: z.int().positive(),
  offset: count,
  /** Bytes of output that are not here. */
  missing: z.int().positive(),
});
export type LogGapEvent = z.infer<typeof logGapEventSchema>;

export const logEndEventSchema = z.object({
  /** Null: the task ended without one (skipped, cancelled). */
  attempt: z.int().positive().nullable(),
  outcome: z.string(),
  message: z.string().nullable(),
});
export type LogEndEvent = z.infer<typeof logEndEventSchema>;
