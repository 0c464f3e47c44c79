import { ApiError, batchIdSchema } from '@planfleet/shared-types';
import type { HonoRequest } from 'hono';
import { parseInput } from './parse-input.ts';

/** The batch in the address. */
export function readBatchId(request: HonoRequest): string {
  return parseInput(batchIdSchema, request.param('id'));
}

export function noBatch(id: string): never {
  throw new ApiError('not_found', `There is no batch ${id}.`);
}
