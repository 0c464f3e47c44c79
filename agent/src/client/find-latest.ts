import { batchViewSchema, pageSchema } from '@planfleet/shared-types';
import type { ApiClient } from './api-client.ts';
import { CliError, EXIT } from './cli-error.ts';

/** `latest`, or `latest:stage` and `latest:stage:ordinal` of a task. */
const LATEST = /^latest(?=:|$)/;

/** The same with the id of the newest batch in the place of `latest`. */
export async function findLatest(client: ApiClient, text: string): Promise<string> {
  const { items } = await client.get(pageSchema(batchViewSchema), '/v1/batches', { query: { limit: 1 } });
  const [newest] = items;
  if (newest === undefined)
    throw new CliError(EXIT.usage, 'there is no latest batch: none was submitted yet', {
      hint: 'Submit one: planfleet submit DIR --watch',
    });
  return text.replace(LATEST, newest.id);
}
