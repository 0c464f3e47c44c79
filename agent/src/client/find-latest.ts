import { type BatchView, batchViewSchema } from '@planfleet/shared-types';
import type { ApiClient } from './api-client.ts';
import { CliError, EXIT } from './cli-error.ts';
import { readPages } from './read-pages.ts';

/** `latest`, or `latest:stage` and `latest:stage:ordinal` of a task. */
const LATEST = /^latest(?=:|$)/;

/** More than one batch starts in one go. */
const PAGE = 100;

/** The same with the id of the newest batch in the place of `latest`: one that was submitted, not a child of one. */
export async function findLatest(client: ApiClient, text: string): Promise<string> {
  let newest: BatchView | undefined;
  for await (const { value } of readPages(client, batchViewSchema, '/v1/batches', { limit: PAGE })) {
    newest = value.items.find(({ parent }) => parent === null || parent === undefined);
    if (newest !== undefined) break;
  }
  if (newest === undefined)
    throw new CliError(EXIT.usage, 'there is no latest batch: none was submitted yet', {
      hint: 'Submit one: planfleet submit DIR --watch',
    });
  return text.replace(LATEST, newest.id);
}
