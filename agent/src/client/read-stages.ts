import { type StageView, stageViewSchema } from '@planfleet/shared-types';
import type { ApiClient } from './api-client.ts';
import { batchPath } from './batch-path.ts';
import { readPages } from './read-pages.ts';

/** All stages of a batch, as what they should be and as they came. There are as many as the plan has tasks. */
export async function readStages(
  client: ApiClient,
  batchId: string,
  signal?: AbortSignal,
): Promise<{ stages: StageView[]; raw: unknown[] }> {
  const stages: StageView[] = [];
  const raw: unknown[] = [];
  for await (const page of readPages(client, stageViewSchema, batchPath(batchId, '/stages'), {}, signal)) {
    stages.push(...page.value.items);
    raw.push(...(page.raw as { items: unknown[] }).items);
  }
  return { stages, raw };
}
