import type { AgentView, Page } from '@planfleet/shared-types';
import { and, asc, gt, sql } from 'drizzle-orm';
import type { Database } from '../database.ts';
import { openReader } from '../reader.ts';
import { agents } from '../schema.ts';
import { toPage } from './page.ts';
import { toIso } from './view-time.ts';

/** Agents by name. What one holds is counted from the lease rows. */
export async function listAgents(
  db: Database,
  options: { limit: number; cursor: string | null; now: number },
): Promise<Page<AgentView>> {
  const rows = await openReader(db)
    .select({
      name: agents.name,
      expires_at: agents.expires_at,
      hostname: agents.hostname,
      version: agents.version,
      slots: agents.slots,
      labels: agents.labels,
      last_seen_at: agents.last_seen_at,
      leased: sql<number>`(SELECT count(*) FROM tasks t WHERE t.agent_id = ${agents.id} AND t.state = 'leased')`,
    })
    .from(agents)
    .where(
      // Not the brain, which holds the tasks of type execute_plan.
      and(gt(agents.id, 0), options.cursor === null ? undefined : gt(agents.name, options.cursor)),
    )
    .orderBy(asc(agents.name))
    .limit(options.limit + 1);
  const toView = ({ expires_at, labels, last_seen_at, ...row }: (typeof rows)[number]): AgentView => ({
    ...row,
    state: expires_at !== null && expires_at > options.now ? 'connected' : 'missing',
    labels: JSON.parse(labels) as string[],
    last_seen_at: toIso(last_seen_at),
  });
  return toPage(rows, options.limit, toView, (row) => row.name);
}
