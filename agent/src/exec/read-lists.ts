import { isAbsolute, join } from 'node:path';
import { type Attempt, AttemptError } from './attempt.ts';
import { readListItems } from './read-list-items.ts';
import { renderOrFail } from './render-or-fail.ts';
import { writeChunks } from './write-chunks.ts';

/** Reads the lists that other stages go through, and lays them ready in chunks. */
export async function readLists(attempt: Attempt): Promise<void> {
  const { spec, task, shop } = attempt;
  for (const list of spec.lists) {
    const path = renderOrFail(list.path, attempt.values, 'text');
    const source = isAbsolute(path) ? path : join(attempt.batch_path, path);
    const file = join(shop.chunks, `${task.stage}-${task.ordinal}-${task.lease}-${list.list}.jsonl`);
    const items = readListItems(source, list.jsonpath, attempt.ending.signal);
    const { count, chunks } = await writeChunks(items, file, source, list.group_size);
    if (chunks.length > 0) attempt.chunk_files.push({ list: list.list, file });
    attempt.lists.push({ list: list.list, count, chunks });
    if (attempt.lists.length > 100)
      throw new AttemptError('definition', 'A task can bring at most 100 lists');
  }
}
