import type { HonoRequest } from 'hono';
import * as z from 'zod';
import { invalid, parseInput } from './parse-input.ts';

/**
 * For `meta({ override })` of a parameter whose text is read into something else: what the API description says of
 * it, instead of the text's pattern.
 */
export function shownAs(shown: Readonly<Record<string, unknown>>) {
  return ({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void => {
    for (const key of Object.keys(jsonSchema)) if (key !== 'description') delete jsonSchema[key];
    Object.assign(jsonSchema, shown);
  };
}

export const cursorDescription = '`next_cursor` of the page before; none: the first page.';

/** `limit` and `cursor` of every list. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,9}$/, 'limit is a number from 1 to 500')
    .transform(Number)
    .pipe(z.int().min(1).max(500))
    .default(100)
    .meta({
      description: 'The most items of the page.',
      override: shownAs({ type: 'integer', minimum: 1, maximum: 500, default: 100 }),
    }),
  cursor: z.string().min(1).max(200).nullable().default(null).describe(cursorDescription),
};

/** The parameters behind the `?`. One that is given twice or is not known is an error, not a surprise. */
export function readQuery<S extends z.ZodType>(request: HonoRequest, schema: S): z.output<S> {
  return parseInput(schema, readParameters(request));
}

export function readParameters(request: HonoRequest): Record<string, string> {
  const values = new Map<string, string>();
  new URL(request.url).searchParams.forEach((value, name) => {
    if (values.has(name)) throw invalid([{ path: name, message: 'This parameter is given twice.' }]);
    values.set(name, value);
  });
  return Object.fromEntries(values);
}
