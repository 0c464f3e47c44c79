import {
  type ClaimAnswer,
  type ClaimRequest,
  claimAnswerSchema,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  heartbeatAnswerSchema,
  type ItemsRequest,
  type LogsAnswer,
  type LogsRequest,
  logsAnswerSchema,
  type RegisterAnswer,
  type RegisterRequest,
  type ResultsAnswer,
  type ResultsRequest,
  registerAnswerSchema,
  resultsAnswerSchema,
  sha256Schema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import type { Timers } from '../agent/agent-deps.ts';
import type { Answer } from './answer.ts';
import { type BlobClient, createBlobClient } from './blob-client.ts';
import { classifyAnswer, type RawAnswer } from './classify-answer.ts';
import { LinkedAbort } from './linked-abort.ts';
import type { Transport } from './transport.ts';

/** An answer that takes longer is lost: the slowest honest one is one SQL batch behind a busy writer. */
const REQUEST_TIMEOUT_MS = 20_000;
/** Above the control plane's own wait, so that it is always the one that ends a poll: headers and network. */
const POLL_MARGIN_MS = 10_000;
/** Short, since a beat that hangs must be tried again several times within a lease (35 s). */
const HEARTBEAT_TIMEOUT_MS = 5_000;

export interface ControlPlaneClient extends BlobClient {
  register(body: RegisterRequest, signal: AbortSignal): Promise<Answer<RegisterAnswer>>;
  claim(body: ClaimRequest, waitMs: number, signal: AbortSignal): Promise<Answer<ClaimAnswer>>;
  sendResults(body: ResultsRequest, signal: AbortSignal): Promise<Answer<ResultsAnswer>>;
  beat(body: HeartbeatRequest, signal: AbortSignal): Promise<Answer<HeartbeatAnswer>>;
  sendItems(body: ItemsRequest, signal: AbortSignal): Promise<Answer<unknown>>;
  sendLogs(body: LogsRequest, signal: AbortSignal): Promise<Answer<LogsAnswer>>;
  /** Which of these contents the control plane lacks. */
  findMissingBlobs(sha256: readonly string[], signal: AbortSignal): Promise<Answer<{ missing: string[] }>>;
}

export interface ClientOptions {
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly transport: Transport;
  readonly timers: Timers;
}

export function createControlPlaneClient(options: ClientOptions): ControlPlaneClient {
  const base = options.url.replace(/\/+$/, '');
  const agent = `/v1/agents/${encodeURIComponent(options.name)}`;

  async function post<T>(
    path: string,
    body: unknown,
    schema: z.ZodType<T>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Answer<T>> {
    const abort = new LinkedAbort(signal, options.timers, timeoutMs);
    try {
      return classifyAnswer(await exchange(path, body, abort.signal), schema);
    } finally {
      abort.release();
    }
  }

  async function exchange(path: string, body: unknown, signal: AbortSignal): Promise<RawAnswer> {
    try {
      const response = await options.transport(`${base}${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${options.token}`,
          'content-type': 'application/json',
          accept: 'application/json',
        },
        body: JSON.stringify(body),
        signal,
      });
      const text = await response.text();
      return { status: response.status, text, retry_after: response.headers.get('retry-after') };
    } catch (error) {
      return { error: signal.aborted ? signal.reason : error };
    }
  }

  return {
    ...createBlobClient({ ...options, base }),
    register: (body, signal) =>
      post('/v1/agents/register', body, registerAnswerSchema, REQUEST_TIMEOUT_MS, signal),
    claim: (body, waitMs, signal) =>
      post(`${agent}/claim?wait=${waitMs / 1_000}`, body, claimAnswerSchema, waitMs + POLL_MARGIN_MS, signal),
    sendResults: (body, signal) =>
      post(`${agent}/results`, body, resultsAnswerSchema, REQUEST_TIMEOUT_MS, signal),
    beat: (body, signal) =>
      post(`${agent}/heartbeat`, body, heartbeatAnswerSchema, HEARTBEAT_TIMEOUT_MS, signal),
    sendItems: (body, signal) => post(`${agent}/items`, body, z.unknown(), REQUEST_TIMEOUT_MS, signal),
    sendLogs: (body, signal) => post(`${agent}/logs`, body, logsAnswerSchema, REQUEST_TIMEOUT_MS, signal),
    findMissingBlobs: (sha256, signal) =>
      post('/v1/blobs/missing', { sha256 }, missingSchema, REQUEST_TIMEOUT_MS, signal),
  };
}

const missingSchema = z.object({ missing: z.array(sha256Schema) });
