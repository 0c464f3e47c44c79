import * as z from 'zod';

/** Half of a surrogate pair on its own: JSON can say it (`\ud800`), UTF-8 cannot. */
const LONE_SURROGATE = /\p{Cs}/gu;

/**
 * With U+FFFD for every lone surrogate. SQLite makes invalid UTF-8 of one when it reads a string out of JSON, and
 * the native database then ends the whole process.
 */
export function toWellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\ufffd');
}

/** A JSON value with all its strings, names of fields too, made well formed. */
export function toWellFormedJson(value: unknown): unknown {
  if (typeof value === 'string') return toWellFormed(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toWellFormedJson);
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [toWellFormed(key), toWellFormedJson(each)]),
  );
}

/** Free text of a request. Every string that enters is this, unless a pattern leaves only ASCII of it. */
export function text(): z.ZodString {
  return z.string().overwrite(toWellFormed);
}
