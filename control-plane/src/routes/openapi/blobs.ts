import {
  missingAnswerSchema,
  missingRequestSchema,
  sha256Schema,
  storedBlobSchema,
} from '@planfleet/shared-types';
import * as z from 'zod';
import type { ZodOpenApiResponseObject } from 'zod-openapi';
import { EXAMPLE_SHA256 } from './examples.ts';
import { JSON_BODY_PROBLEMS, jsonAnswer, jsonBody, type Operations } from './operation.ts';

const blobPath = z.object({ sha256: sha256Schema });

const ETAG = { description: 'The sha256 in quotes.', schema: { type: 'string' as const } };

export const bytesAnswer: ZodOpenApiResponseObject = {
  description: 'The content. It never changes under the same `ETag`.',
  headers: { ETag: ETAG },
  content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
};
export const notModified: ZodOpenApiResponseObject = {
  description: 'The `If-None-Match` of the request names this content.',
  headers: { ETag: ETAG },
};

export const blobOperations: Operations = {
  'POST /v1/blobs/missing': {
    id: 'findMissingBlobs',
    tag: 'blobs',
    summary: 'Which of these contents are not stored yet',
    description: 'Ask before uploading: content that is there need not be sent again.',
    scopes: ['agent', 'submit'],
    body: jsonBody(missingRequestSchema, { sha256: [EXAMPLE_SHA256] }),
    answers: { 200: jsonAnswer('Those to upload.', missingAnswerSchema, { missing: [EXAMPLE_SHA256] }) },
    problems: JSON_BODY_PROBLEMS,
  },
  'PUT /v1/blobs/{sha256}': {
    id: 'putBlob',
    tag: 'blobs',
    summary: 'Store content',
    description: 'Streamed, and checked against the sha256 in the address. Storing it twice changes nothing.',
    scopes: ['agent', 'submit'],
    path: blobPath,
    body: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
    answers: { 201: jsonAnswer('It is stored.', storedBlobSchema, { sha256: EXAMPLE_SHA256 }) },
    problems: ['bad_request', 'too_large', 'invalid'],
    curl: `-X PUT --data-binary @notes.txt "$URL/v1/blobs/${EXAMPLE_SHA256}"`,
  },
  'GET /v1/blobs/{sha256}': {
    id: 'getBlob',
    tag: 'blobs',
    summary: 'Read content',
    scopes: ['agent', 'read'],
    path: blobPath,
    answers: { 200: bytesAnswer, 304: notModified },
    problems: ['not_found', 'invalid'],
  },
};
