import { bindStatement, type Statement, toJson } from '../database.ts';

/** The next chunk of each list whose items are known, while its batch lives. Its place is the list's cursor. */
const CHUNK = `chunk AS MATERIALIZED (
  SELECT l.id AS list_id, l.lead_stage, l.count AS whole, c.first, c.count, c.items
  FROM json_each(:lists) x CROSS JOIN lists l ON l.id = x.value
    JOIN batches b ON b.seq = l.batch_seq AND b.state IN ('active', 'paused')
    JOIN list_chunks c ON c.list_id = l.id AND c.lease = l.lease AND c.first = l.cursor)`;

const HAS_ITEM_EDGE = (stage: string) =>
  `EXISTS (SELECT 1 FROM stage_edges e WHERE e.to_stage = ${stage}.id AND e.kind = 'item')`;

/** All stages over one list are expanded together; the item itself is kept once, in the lead stage, as its JSON text. */
const INSERT = `WITH ${CHUNK}
INSERT INTO tasks (stage_id, ordinal, state, item)
SELECT s.id, chunk.first + j.key, CASE WHEN ${HAS_ITEM_EDGE('s')} THEN 'waiting' ELSE 'ready' END,
    CASE WHEN s.id = chunk.lead_stage THEN j.value END
  FROM chunk JOIN stages s ON s.list_id = chunk.list_id JOIN json_each(chunk.items) j`;

const COUNT = `WITH ${CHUNK}
UPDATE stages SET total = total + chunk.count, expanded = (chunk.first + chunk.count = chunk.whole),
    waiting = waiting + chunk.count * ${HAS_ITEM_EDGE('stages')}, ready = ready + chunk.count * (NOT ${HAS_ITEM_EDGE('stages')})
  FROM chunk WHERE stages.list_id = chunk.list_id`;

/** Once for each list: with its last chunk, or when it turns out to have no items. */
const DECIDE = `WITH ${CHUNK}
INSERT INTO decisions (at, type, batch_seq, stage_id, count, message, details)
SELECT :now, 'FOREACH_EXPAND', l.batch_seq, l.lead_stage, l.count * count(s.id), coalesce(l.path, 'A list in the plan') || ' has ' || l.count
    || iif(l.count = 1, ' item: ', ' items: ') || (l.count * count(s.id)) || ' tasks in ' || group_concat(s.key, ', ') || '.',
    json_object('items', l.count, 'stages', json_group_array(s.key))
  FROM chunk JOIN lists l ON l.id = chunk.list_id AND chunk.first + chunk.count = chunk.whole JOIN stages s ON s.list_id = l.id
  GROUP BY l.id
UNION ALL
SELECT :now, 'FOREACH_EMPTY', l.batch_seq, l.lead_stage, 0, coalesce(l.path, 'A list in the plan') || ' has no items: '
    || group_concat(s.key, ', ') || iif(count(s.id) = 1, ' is', ' are') || ' done without a task.', json_object('stages', json_group_array(s.key))
  FROM json_each(:lists) x CROSS JOIN lists l ON l.id = x.value AND l.count = 0 JOIN stages s ON s.list_id = l.id AND s.expanded = 0
  GROUP BY l.id`;

/** Compare and set: a chunk replayed after a lost answer finds the cursor moved, and itself gone. */
const ADVANCE = `WITH ${CHUNK}
UPDATE lists SET cursor = chunk.first + chunk.count FROM chunk WHERE lists.id = chunk.list_id
  RETURNING lists.id, cursor < count AS more`;

const DROP_CHUNKS = `DELETE FROM list_chunks WHERE list_id IN (SELECT value FROM json_each(:lists))
  AND first < (SELECT cursor FROM lists WHERE lists.id = list_chunks.list_id)`;

/** A list of no items has no chunk: its stages are complete as they are. */
const CLOSE_EMPTY = `UPDATE stages SET expanded = 1
  WHERE list_id IN (SELECT l.id FROM json_each(:lists) x CROSS JOIN lists l ON l.id = x.value WHERE l.count = 0) AND expanded = 0`;

/** Place of the result that says, for each list that moved, whether chunks are left. */
export const EXPAND_ADVANCED = 3;

/** EXPAND: the next chunk of each list becomes tasks, exactly once. */
export function expand(lists: readonly number[], now: number): Statement[] {
  const bound = { lists: toJson(lists), now };
  return [INSERT, COUNT, DECIDE, ADVANCE, DROP_CHUNKS, CLOSE_EMPTY].map((sql) => bindStatement(sql, bound));
}
