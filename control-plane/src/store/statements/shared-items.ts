/**
 * Which tasks of two stages over one list share items. Task `o` of a stage has the items from `o * group_size` on,
 * so that nothing is stored between tasks, and a lookup costs what the smaller groups are fewer or more.
 */

/** Condition: task row `task`, of stage row `own`, shares an item with task `o` of stage row `other`. */
export const sharesItem = (task: string, own: string, o: string, other: string) =>
  `${task}.ordinal BETWEEN ${o} * ${other}.group_size / ${own}.group_size
    AND ((${o} + 1) * ${other}.group_size - 1) / ${own}.group_size`;

/** The last item of task `o` of stage row `stage`: the last group of a list may be smaller. */
const lastItem = (stage: string, o: string) =>
  `iif(${stage}.group_size = 1, ${o}, min((${o} + 1) * ${stage}.group_size,
    (SELECT whole.count FROM lists whole WHERE whole.id = ${stage}.list_id)) - 1)`;

/**
 * Condition: every task of stage row `above` that shares an item with task `o` of stage row `own` is there and has
 * succeeded. The last one is asked for by itself: tasks are made in order, so that it is there only when all are.
 * The others are looked through from their end: tasks are given out from the lowest on, and so what has not ended
 * is found at once; that makes the cost of a task the same in groups of any size.
 */
export const allSucceeded = (own: string, o: string, above: string) => {
  const last = `${lastItem(own, o)} / ${above}.group_size`;
  return `(EXISTS (SELECT 1 FROM tasks u WHERE u.stage_id = ${above}.id AND u.ordinal = ${last} AND +u.state = 'succeeded')
    AND (${own}.group_size <= 1 OR (SELECT 1 FROM tasks u WHERE u.stage_id = ${above}.id
      AND u.ordinal >= ${o} * ${own}.group_size / ${above}.group_size AND u.ordinal < ${last} AND +u.state <> 'succeeded'
      ORDER BY u.ordinal DESC LIMIT 1) IS NULL))`;
};
