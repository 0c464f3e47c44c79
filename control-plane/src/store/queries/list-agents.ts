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
  const rows: AgentRow[] = await openReader(db)
    .select({
      name: agents.name,
      expires_at: agents.expires_at,
      draining_at: agents.draining_at,
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
  return toPage(
    rows,
    options.limit,
    (row) => toAgentView(row, options.now),
    (row) => row.name,
  );
}

export interface AgentRow {
  name: string;
  expires_at: number | null;
  draining_at: number | null;
  hostname: string;
  version: string;
  slots: number;
  labels: string;
  last_seen_at: number;
  leased: number;
}

/** One that is missing is missing, draining or not. */
export function toAgentView(row: AgentRow, now: number): AgentView {
  const { name, expires_at, draining_at, hostname, version, slots, leased } = row;
  const isThere = expires_at !== null && expires_at > now;
  return {
    name,
    state: !isThere ? 'missing' : draining_at === null ? 'connected' : 'draining',
    hostname,
    version,
    slots,
    leased,
    labels: JSON.parse(row.labels) as string[],
    last_seen_at: toIso(row.last_seen_at),
  };
}
