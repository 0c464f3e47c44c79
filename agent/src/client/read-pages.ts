import { type Page, pageSchema } from '@planfleet/shared-types';
import type * as z from 'zod';
import type { ApiClient } from './api-client.ts';

type Query = Readonly<Record<string, string | number | undefined>>;

/** Every page of a list, one at a time: a batch may have a million tasks. */
export async function* readPages<T extends z.ZodType>(
  client: ApiClient,
  item: T,
  path: string,
  query: Query = {},
  signal?: AbortSignal,
): AsyncGenerator<{ raw: unknown; value: Page<z.infer<T>> }> {
  const schema = pageSchema(item);
  let cursor: string | null = null;
  do {
    const page: { raw: unknown; value: Page<z.infer<T>> } = await client.read(schema, path, {
      query: { ...query, cursor: cursor ?? undefined },
      signal,
    });
    yield page;
    cursor = page.value.next_cursor;
  } while (cursor !== null);
}
