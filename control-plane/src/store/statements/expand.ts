import { bindStatement, type Statement, toJson } from '../database.ts';
import { sharesItem } from './shared-items.ts';
import { skipFrom } from './skip.ts';

/** The next chunk of each list whose items are known, while its batch lives. Its place is the list's cursor. */
const chunkWith = (columns: string) => `chunk AS MATERIALIZED (
  SELECT l.id AS list_id, l.lead_stage, l.grouped, l.count AS whole, part.first, part.first + part.count AS next${columns}
  FROM json_each(:lists) x CROSS JOIN lists l ON l.id = x.value
    JOIN batches b ON b.seq = l.batch_seq AND b.state IN ('active', 'paused')
    JOIN list_chunks part ON part.list_id = l.id AND part.lease = l.lease AND part.first = l.cursor)`;
/** The items are megabytes at worst: only statements that read them carry them along. */
const CHUNK = chunkWith('');
const CHUNK_ITEMS = chunkWith(', part.items');

const HAS_ITEM_EDGE = (stage: string) =>
  `EXISTS (SELECT 1 FROM stage_edges e WHERE e.to_stage = ${stage}.id AND e.kind = 'item')`;

/**
 * All stages over one list are expanded together, a task for each group whose last item is in the chunk: so every
 * task is made once, in order, and only when all its items are known. Where all groups are of one item, the item is
 * kept in the row of the lead stage, as its JSON text.
 */
const INSERT = `WITH ${CHUNK_ITEMS}
INSERT INTO tasks (stage_id, ordinal, state, item)
SELECT s.id, (chunk.first + j.key) / s.group_size, CASE WHEN ${HAS_ITEM_EDGE('s')} THEN 'waiting' ELSE 'ready' END,
    CASE WHEN s.id = chunk.lead_stage AND chunk.grouped = 0 THEN j.value END
  FROM chunk JOIN stages s ON s.list_id = chunk.list_id JOIN json_each(chunk.items) j
  WHERE (chunk.first + j.key + 1) % s.group_size = 0 OR chunk.first + j.key + 1 = chunk.whole`;

/** The items of a list with groups stand by themselves: its groups have different borders. */
const INSERT_ITEMS = `WITH ${CHUNK_ITEMS}
INSERT INTO list_items (list_id, ordinal, item)
SELECT chunk.list_id, chunk.first + j.key, j.value FROM chunk JOIN json_each(chunk.items) j WHERE chunk.grouped = 1`;

const INSERT_REPEATS = `WITH ${chunkWith(', part.repeats')}
INSERT INTO list_repeats (list_id, ordinal, nth)
SELECT chunk.list_id, chunk.first + (j.value->>0), j.value->>1 FROM chunk JOIN json_each(chunk.repeats) j`;

/** Groups that the chunk completes. */
const MADE =
  '((chunk.next + (chunk.next = chunk.whole) * (group_size - 1)) / group_size - chunk.first / group_size)';

const COUNT = `WITH ${CHUNK}
UPDATE stages SET total = total + ${MADE}, expanded = (chunk.next = chunk.whole),
    waiting = waiting + ${MADE} * ${HAS_ITEM_EDGE('stages')}, ready = ready + ${MADE} * (NOT ${HAS_ITEM_EDGE('stages')})
  FROM chunk WHERE stages.list_id = chunk.list_id`;

/**
 * What is lost above the groups made now that began in an earlier chunk, one a stage at most: it was lost before they
 * were there to be skipped. Nothing else can have happened already: the task above that has a group's last item is
 * made with it or later, so that no group is released before it is there.
 */
const LOST_ABOVE = `${CHUNK},
late(s, o) AS MATERIALIZED (
  SELECT s.id, chunk.first / s.group_size FROM chunk JOIN stages s ON s.list_id = chunk.list_id
  WHERE chunk.first % s.group_size > 0 AND ${HAS_ITEM_EDGE('s')}
    AND (chunk.next = chunk.whole OR (chunk.first / s.group_size + 1) * s.group_size <= chunk.next)),
lost(s, o) AS (
  SELECT u.stage_id, u.ordinal FROM late CROSS JOIN stages own ON own.id = late.s
    CROSS JOIN stage_edges p ON p.to_stage = late.s AND p.kind = 'item' CROSS JOIN stages above ON above.id = p.from_stage
    CROSS JOIN tasks u ON u.stage_id = above.id AND ${sharesItem('u', 'above', 'late.o', 'own')} AND +u.state IN ('abandoned', 'skipped'))`;

/** Repeats that are counted: the number is for people. */
const MOST_REPEATS = 1_000;

/** Once for each list: with its last chunk, or when it turns out to have no items. */
const DECIDE = `WITH ${CHUNK}
INSERT INTO decisions (at, type, batch_seq, stage_id, count, message, details)
SELECT :now, 'FOREACH_EXPAND', l.batch_seq, l.lead_stage, sum(s.total), coalesce(l.path, 'A list in the plan') || ' has ' || l.count
    || iif(l.count = 1, ' item: ', ' items: ') || sum(s.total) || iif(sum(s.total) = 1, ' task in ', ' tasks in ') || group_concat(s.key, ', ') || '.',
    json_object('items', l.count, 'stages', json_group_array(s.key))
  FROM chunk JOIN lists l ON l.id = chunk.list_id AND chunk.next = chunk.whole JOIN stages s ON s.list_id = l.id
  GROUP BY l.id
UNION ALL
SELECT :now, 'FOREACH_EMPTY', l.batch_seq, l.lead_stage, 0, coalesce(l.path, 'A list in the plan') || ' has no items: '
    || group_concat(s.key, ', ') || iif(count(s.id) = 1, ' is', ' are') || ' done without a task.', json_object('stages', json_group_array(s.key))
  FROM json_each(:lists) x CROSS JOIN lists l ON l.id = x.value AND l.count = 0 JOIN stages s ON s.list_id = l.id AND s.expanded = 0
  GROUP BY l.id
UNION ALL
SELECT :now, 'DUPLICATE_ITEM_ID', list.batch_seq, list.lead_stage, n, coalesce(list.path, 'A list in the plan') || ' has '
    || iif(n = 1, 'an item', iif(n = ${MOST_REPEATS}, '${MOST_REPEATS} or more items', n || ' items')) || ' with the id of an earlier one, the first at place '
    || (first + 1) || ': their names end in a number of their own.', json_object('first', first)
  FROM (SELECT l.batch_seq, l.lead_stage, l.path,
      (SELECT count(*) FROM (SELECT 1 FROM list_repeats r WHERE r.list_id = l.id LIMIT ${MOST_REPEATS})) AS n,
      (SELECT min(r.ordinal) FROM list_repeats r WHERE r.list_id = l.id) AS first
    FROM chunk JOIN lists l ON l.id = chunk.list_id AND chunk.next = chunk.whole) list WHERE n > 0`;

/** Compare and set: a chunk replayed after a lost answer finds the cursor moved, and itself gone. */
const ADVANCE = `WITH ${CHUNK}
UPDATE lists SET cursor = chunk.next FROM chunk WHERE lists.id = chunk.list_id
  RETURNING lists.id, cursor < count AS more`;

const DROP_CHUNKS = `DELETE FROM list_chunks WHERE list_id IN (SELECT value FROM json_each(:lists))
  AND first < (SELECT cursor FROM lists WHERE lists.id = list_chunks.list_id)`;

/** A list of no items has no chunk: its stages are complete as they are. */
const CLOSE_EMPTY = `UPDATE stages SET expanded = 1
  WHERE list_id IN (SELECT l.id FROM json_each(:lists) x CROSS JOIN lists l ON l.id = x.value WHERE l.count = 0) AND expanded = 0`;

const EXPAND = [
  INSERT,
  INSERT_ITEMS,
  INSERT_REPEATS,
  COUNT,
  ...skipFrom(LOST_ABOVE),
  DECIDE,
  ADVANCE,
  DROP_CHUNKS,
  CLOSE_EMPTY,
];

/** Place of the result that says, for each list that moved, whether chunks are left. */
export const EXPAND_ADVANCED = EXPAND.indexOf(ADVANCE);

/** EXPAND: the next chunk of each list becomes tasks, exactly once. */
export function expand(lists: readonly number[], now: number): Statement[] {
  const bound = { lists: toJson(lists), now };
  return EXPAND.map((sql) => bindStatement(sql, bound));
}
