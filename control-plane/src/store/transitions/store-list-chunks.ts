import type { ItemsRequest } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows, toItemsJson, toJson } from '../database.ts';

/** The attempt that may send this list: it holds the lease, and no attempt's list has been accepted yet. */
const SENDER = `SELECT 1 FROM lists l JOIN tasks t ON t.stage_id = l.producer_stage
  JOIN agents a ON a.id = t.agent_id
  WHERE l.id = :list AND l.lease IS NULL AND t.lease = :lease AND a.name = :agent`;

const READ_SESSION = 'SELECT 1 AS found FROM agents WHERE name = :agent AND session = :session';
const READ_SENDER = `SELECT 1 AS found WHERE EXISTS (${SENDER})`;

/** What an earlier attempt sent and never reported is of no use to anybody. */
const DROP_STALE = `DELETE FROM list_chunks WHERE list_id = :list AND lease < :lease AND EXISTS (${SENDER})`;

const INSERT_CHUNKS = `INSERT INTO list_chunks (list_id, lease, first, count, sha256, items, repeats)
SELECT :list, :lease, value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(:chunks) WHERE EXISTS (${SENDER})
ON CONFLICT (list_id, lease, first) DO UPDATE SET count = excluded.count, sha256 = excluded.sha256, items = excluded.items,
  repeats = excluded.repeats`;

/** ITEMS: chunks of a list, ahead of the report that counts them. Sending one twice changes nothing. */
export async function storeListChunks(
  db: Database,
  params: { agent: string; request: ItemsRequest },
): Promise<{ ok: true } | { ok: false; reason: 'session_superseded' | 'lease_lost' }> {
  const { agent, request } = params;
  const { session, list, lease } = request;
  const chunks = toJson(
    request.chunks.map(({ offset, items, sha256, repeats }) => [
      offset,
      items.length,
      sha256,
      toItemsJson(items),
      repeats === undefined ? null : JSON.stringify(repeats),
    ]),
  );
  const bound = { agent, session, list, lease, chunks };
  const results = await db.batch(
    [READ_SESSION, READ_SENDER, DROP_STALE, INSERT_CHUNKS].map((sql) => bindStatement(sql, bound)),
    'write',
  );
  if (readRows(results[0]).length === 0) return { ok: false, reason: 'session_superseded' };
  if (readRows(results[1]).length === 0) return { ok: false, reason: 'lease_lost' };
  return { ok: true };
}
