import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Attempt, AttemptError } from './attempt.ts';
import { groupItems } from './group-items.ts';
import { renderOrFail } from './render-or-fail.ts';

const GLOB = /[*?[\]{}]/;

/** A path that the plan promises by name must be there after a success. */
export async function checkProduced(attempt: Attempt): Promise<void> {
  const items = groupItems(attempt)?.map((item) => item.values) ?? [attempt.values];
  const paths = new Set(
    items.flatMap((values) =>
      attempt.spec.produces.map((template) => renderOrFail(template, values, 'text')),
    ),
  );
  const missing: string[] = [];
  for (const path of paths) {
    if (GLOB.test(path)) continue;
    if ((await stat(resolve(attempt.batch_path, path)).catch(() => null)) === null) missing.push(path);
  }
  if (missing.length === 0) return;
  throw new AttemptError(
    'worker',
    `missing_output: the command succeeded, but did not write what it produces: ${missing.join(', ')}`,
  );
}
