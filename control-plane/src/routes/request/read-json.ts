import { ApiError } from '@planfleet/shared-types';
import type { HonoRequest } from 'hono';
import type * as z from 'zod';
import { parseInput } from './parse-input.ts';
import { decodeText, readBody } from './read-body.ts';

/**
 * SQLite reads JSON to 1,000 levels, and JSON.stringify overflows its stack at some thousand: an item that cannot
 * be stored or read back must not get in.
 */
const MAX_DEPTH = 100;

/** The body, as what `schema` says. The content type does not matter: nothing else would parse. */
export async function readJson<S extends z.ZodType>(
  request: HonoRequest,
  schema: S,
  limit: number,
): Promise<z.output<S>> {
  return parseInput(schema, parseJson(decodeText(await readBody(request, limit), 'The body'), 'The body'));
}

export function parseJson(text: string, what: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : '';
    throw new ApiError('bad_json', `${what} is not valid JSON: ${reason}`, { cause });
  }
  if (nestsDeeper(text, MAX_DEPTH)) {
    throw new ApiError('bad_json', `${what} is nested deeper than ${MAX_DEPTH} levels.`);
  }
  return value;
}

/** `text` is valid JSON, so that counting brackets outside of strings is enough. */
function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === 0x22) {
      for (at++; text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
    } else if (char === 0x5b || char === 0x7b) {
      if (++depth > limit) return true;
    } else if (char === 0x5d || char === 0x7d) depth--;
  }
  return false;
}
