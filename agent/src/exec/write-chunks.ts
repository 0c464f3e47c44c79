import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MAX_CHUNK_ITEMS, MAX_ITEMS_BYTES } from '@planfleet/shared-types';
import { AttemptError } from './attempt.ts';

/** Four chunks fill a request, and a chunk of large items is written by one SQL batch as fast as one of many. */
const CHUNK_BYTES = 256_000;
/** An item travels whole in one request, and is kept with its task. */
const MAX_ITEM_BYTES = MAX_ITEMS_BYTES / 2;
const MAX_CHUNKS = 10_000;

/** Writes items to a file of chunks, one JSON document a line; on disk for good when this resolves. */
export async function writeChunks(
  items: AsyncIterable<unknown>,
  file: string,
  source: string,
): Promise<{ count: number; chunks: string[] }> {
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'w', 0o600);
  const chunks: string[] = [];
  let count = 0;
  let gathered: string[] = [];
  let bytes = 0;
  const flush = async () => {
    const text = `[${gathered.join(',')}]`;
    const sha256 = createHash('sha256').update(text).digest('hex');
    const offset = count - gathered.length;
    await handle.appendFile(`{"offset":${offset},"sha256":"${sha256}","items":${text}}\n`);
    chunks.push(sha256);
    gathered = [];
    bytes = 0;
  };
  try {
    for await (const item of items) {
      const text = JSON.stringify(item);
      const size = Buffer.byteLength(text);
      if (size > MAX_ITEM_BYTES) {
        throw new AttemptError(
          'definition',
          `Item ${count} of ${source} is ${size} bytes long, and at most ${MAX_ITEM_BYTES} are possible: keep its data in a file and its path in the list`,
        );
      }
      if (gathered.length >= MAX_CHUNK_ITEMS || (gathered.length > 0 && bytes + size > CHUNK_BYTES))
        await flush();
      if (chunks.length >= MAX_CHUNKS) {
        throw new AttemptError('definition', `${source} has too many items (more than ${count})`);
      }
      gathered.push(text);
      bytes += size + 1;
      count += 1;
    }
    if (gathered.length > 0) await flush();
    if (chunks.length > 0) await handle.datasync();
  } finally {
    await handle.close();
  }
  return { count, chunks };
}
