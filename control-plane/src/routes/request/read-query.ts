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

const cursorDescription = '`next_cursor` of the page before; none: the first page.';

const BAD_CURSOR = 'a cursor is what next_cursor of the page before said';

/** `limit` of a list: `usual` where none is given, `most` at most. */
export function limitUpTo(most: number, usual: number) {
  const bad = `limit is a number from 1 to ${most}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, bad)
    .transform(Number)
    .pipe(z.int(bad).min(1, bad).max(most, bad))
    .default(usual)
    .meta({
      description: 'The most items of the page.',
      override: shownAs({ type: 'integer', minimum: 1, maximum: most, default: usual }),
    });
}

/** `limit` of almost every list; each has its kind of `cursor` besides. */
export const pageQuery = { limit: limitUpTo(500, 100) };

/** The cursor of a list that goes on behind a name; what no such name can be is refused. */
export function cursorBehind(name: z.ZodType<string, string>) {
  return z
    .string()
    .refine((text) => name.safeParse(text).success, BAD_CURSOR)
    .nullable()
    .default(null)
    .describe(cursorDescription);
}

/** The cursor of a list that goes on behind a number. */
export const cursorBehindNumber = z
  .string()
  .regex(/^\d{1,15}$/, BAD_CURSOR)
  .transform(Number)
  .nullable()
  .default(null)
  .describe(cursorDescription);

/** The cursor of a list that goes on behind a pair of numbers, `FIRST.SECOND`. */
export const cursorBehindPair = z
  .string()
  .regex(/^\d{1,9}\.\d{1,9}$/, BAD_CURSOR)
  .transform((text): readonly [number, number] => {
    const [first, second] = text.split('.').map(Number);
    return [first ?? 0, second ?? 0];
  })
  .nullable()
  .default(null)
  .describe(cursorDescription);

/** The cursor of a list that goes on behind an attempt, `STAGE.ORDINAL.ATTEMPT`. */
export const cursorBehindAttempt = z
  .string()
  .regex(/^\d{1,15}\.\d{1,9}\.\d{1,9}$/, BAD_CURSOR)
  .transform((text) => {
    const [stage = 0, ordinal = 0, attempt = 0] = text.split('.').map(Number);
    return { stage, ordinal, attempt };
  })
  .nullable()
  .default(null)
  .describe(cursorDescription);

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
