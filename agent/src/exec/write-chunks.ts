import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ItemNames, MAX_CHUNK_ITEMS, MAX_ITEMS_BYTES } from '@planfleet/shared-types';
import { AttemptError } from './attempt.ts';

/** Four chunks fill a request, and a chunk of large items is written by one SQL batch as fast as one of many. */
const CHUNK_BYTES = 256_000;
/** An item travels whole in one request, and is kept with its task. */
const MAX_ITEM_BYTES = MAX_ITEMS_BYTES / 2;
const MAX_CHUNKS = 10_000;
/** The items of a group travel in one claim answer, beside those of other tasks. */
const MAX_GROUP_BYTES = MAX_ITEMS_BYTES;

/**
 * Writes items to a file of chunks, one JSON document a line; on disk for good when this resolves. `groupSize`: the
 * most items of one task.
 */
export async function writeChunks(
  items: AsyncIterable<unknown>,
  file: string,
  source: string,
  groupSize = 1,
): Promise<{ count: number; chunks: string[] }> {
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'w', 0o600);
  const chunks: string[] = [];
  let count = 0;
  const names = new ItemNames();
  let gathered: string[] = [];
  let parsed: unknown[] = [];
  let bytes = 0;
  let groupBytes = 0;
  const flush = async () => {
    const text = `[${gathered.join(',')}]`;
    const sha256 = createHash('sha256').update(text).digest('hex');
    const offset = count - gathered.length;
    const repeats = names.findRepeats(parsed, offset);
    const repeated = repeats.length === 0 ? '' : `,"repeats":${JSON.stringify(repeats)}`;
    await handle.appendFile(`{"offset":${offset},"sha256":"${sha256}","items":${text}${repeated}}\n`);
    chunks.push(sha256);
    gathered = [];
    parsed = [];
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
      groupBytes = count % groupSize === 0 ? size : groupBytes + size;
      if (groupSize > 1 && groupBytes > MAX_GROUP_BYTES) {
        const first = count - (count % groupSize) + 1;
        throw new AttemptError(
          'definition',
          `Items ${first} to ${count + 1} of ${source} are ${groupBytes} bytes long, and at most ${MAX_GROUP_BYTES} are possible in a group: lower batch_size, or keep their data in files and the paths in the list`,
        );
      }
      if (gathered.length >= MAX_CHUNK_ITEMS || (gathered.length > 0 && bytes + size > CHUNK_BYTES))
        await flush();
      if (chunks.length >= MAX_CHUNKS) {
        throw new AttemptError('definition', `${source} has too many items (more than ${count})`);
      }
      gathered.push(text);
      parsed.push(item);
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
