import { TASK_STATES } from '@planfleet/shared-types';
import { expect } from 'vitest';
import type { StoreHarness } from '../../../support/store-harness.ts';

interface BatchRow {
  readonly seq: number;
  readonly id: string;
  readonly state: string;
  readonly depth: number;
}
interface StageRow {
  readonly id: number;
  readonly batch_seq: number;
  readonly key: string;
  readonly state: string;
  readonly group_size: number;
  readonly retry: number | null;
  readonly expanded: number;
}
interface TaskRow {
  readonly stage_id: number;
  readonly ordinal: number;
  readonly state: string;
  readonly attempt: number;
}

/** Those that are there for operators, the oldest first. */
export function readBatches(store: StoreHarness): Promise<BatchRow[]> {
  return store.rows<BatchRow>(
    'SELECT seq, id, state, depth FROM batches WHERE deleted_at IS NULL ORDER BY seq',
  );
}

const COUNTED = TASK_STATES.map(
  (state) => `s.${state} <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = '${state}')`,
).join(' OR ');

/** Nothing of these may ever be found, in batches that are not deleted. */
const NEVER: Readonly<Record<string, string>> = {
  'a counter is not the number of its rows': `SELECT s.* FROM stages s JOIN batches b ON b.seq = s.batch_seq WHERE b.deleted_at IS NULL AND (${COUNTED})`,
  'the brain holds a task without a child, or the end of one': `SELECT * FROM tasks t WHERE t.agent_id = 0 AND t.state = 'leased' AND NOT EXISTS (
      SELECT 1 FROM batches c WHERE c.parent_stage = t.stage_id AND c.parent_ordinal = t.ordinal AND c.parent_attempt = t.attempt AND c.finished_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM child_ends e WHERE e.stage_id = t.stage_id AND e.ordinal = t.ordinal AND e.attempt = t.attempt)`,
  'a task has two live children': `SELECT parent_stage, parent_ordinal FROM batches WHERE parent_stage IS NOT NULL AND finished_at IS NULL GROUP BY 1, 2 HAVING count(*) > 1`,
  'a stage may be claimed from that is not open in an active batch': `SELECT s.* FROM stages s JOIN batches b ON b.seq = s.batch_seq
    WHERE s.runnable = 1 AND (s.state <> 'open' OR b.state <> 'active')`,
  'an open stage of an active batch may not be claimed from': `SELECT s.* FROM stages s JOIN batches b ON b.seq = s.batch_seq
    WHERE s.runnable = 0 AND s.state = 'open' AND b.state = 'active'`,
  'an ended stage has live tasks': `SELECT s.* FROM stages s WHERE s.state IN ('done', 'failed', 'cancelled') AND s.waiting + s.ready + s.leased + s.backoff > 0
    AND NOT EXISTS (SELECT 1 FROM batches b WHERE b.seq = s.batch_seq AND b.state = 'cancelling')`,
  'an agent holds more than its slots': `SELECT a.name FROM agents a WHERE a.id > 0 AND a.slots < (SELECT count(*) FROM tasks t WHERE t.agent_id = a.id AND t.state = 'leased')`,
  'the end of a batch is not told once': `SELECT b.id, e.n, b.state FROM batches b JOIN (SELECT seq, count(*) AS n FROM ends GROUP BY seq) e ON e.seq = b.seq
    WHERE b.deleted_at IS NULL AND e.n <> (SELECT count(*) FROM decisions d WHERE d.batch_seq = b.seq AND d.type IN ('BATCH_COMPLETE', 'BATCH_FAILED', 'BATCH_CANCELLED'))`,
  'an abandonment is not told once': `SELECT s.key, o.n FROM stages s JOIN batches b ON b.seq = s.batch_seq JOIN (SELECT stage_id, count(*) AS n FROM losses GROUP BY stage_id) o ON o.stage_id = s.id
    WHERE b.deleted_at IS NULL AND o.n <> (SELECT coalesce(sum(d.count), 0) FROM decisions d WHERE d.stage_id = s.id AND d.type = 'ABANDON')`,
  'an accepted attempt has not one row': `SELECT t.stage_id, t.ordinal, t.attempt FROM tasks t WHERE t.state = 'succeeded' AND NOT EXISTS (
      SELECT 1 FROM attempts a WHERE a.stage_id = t.stage_id AND a.ordinal = t.ordinal AND a.attempt = t.attempt AND a.outcome = 'succeeded')
    AND EXISTS (SELECT 1 FROM stages s JOIN batches b ON b.seq = s.batch_seq WHERE s.id = t.stage_id AND b.deleted_at IS NULL)`,
  'live output is kept of an attempt that is over': `SELECT l.* FROM live_logs l JOIN tasks t ON t.stage_id = l.stage_id AND t.ordinal = l.ordinal
    JOIN stages s ON s.id = t.stage_id JOIN batches b ON b.seq = s.batch_seq
    WHERE b.finished_at < (SELECT last_tick_at FROM brain)`,
  'a log is of an attempt that there was not': `SELECT l.path FROM attempt_logs l JOIN batches b ON b.seq = l.batch_seq AND b.deleted_at IS NULL
    WHERE NOT EXISTS (SELECT 1 FROM attempts a WHERE a.stage_id = l.stage_id AND a.ordinal = l.ordinal AND a.attempt = l.attempt)`,
};

/** What the checks compare the decisions with: changes as the rows have them. */
export const OBSERVE: readonly string[] = [
  'CREATE TABLE observed (edge TEXT PRIMARY KEY)',
  `CREATE TRIGGER observe AFTER UPDATE OF state ON tasks WHEN old.state <> new.state
    BEGIN INSERT OR IGNORE INTO observed VALUES (old.state || ' ' || new.state); END`,
  'CREATE TABLE ends (seq INTEGER)',
  `CREATE TRIGGER observe_ends AFTER UPDATE OF finished_at ON batches WHEN old.finished_at IS NULL AND new.finished_at IS NOT NULL
    BEGIN INSERT INTO ends VALUES (new.seq); END`,
  'CREATE TABLE losses (stage_id INTEGER)',
  `CREATE TRIGGER observe_losses AFTER UPDATE OF state ON tasks WHEN old.state <> 'abandoned' AND new.state = 'abandoned'
    BEGIN INSERT INTO losses VALUES (new.stage_id); END`,
];

/** What must be so after every step, whatever happened. `succeeded`: attempts by task, kept from step to step. */
export async function checkStore(store: StoreHarness, succeeded: Map<string, number>): Promise<void> {
  for (const [what, sql] of Object.entries(NEVER)) expect(await store.rows(sql), what).toEqual([]);
  const batches = await readBatches(store);
  const stages = await store.rows<StageRow>('SELECT * FROM stages');
  const tasks = await store.rows<TaskRow>('SELECT * FROM tasks');
  const edges = await store.rows<{ from_stage: number; to_stage: number }>(
    "SELECT * FROM stage_edges WHERE kind = 'item'",
  );
  for (const batch of batches) {
    const mine = new Map(
      stages.filter((stage) => stage.batch_seq === batch.seq).map((stage) => [stage.id, stage]),
    );
    const rows = tasks.filter((task) => mine.has(task.stage_id));
    checkTasks(batch, mine, rows, edges, succeeded);
  }
}

function checkTasks(
  batch: BatchRow,
  stages: ReadonlyMap<number, StageRow>,
  tasks: readonly TaskRow[],
  edges: readonly { from_stage: number; to_stage: number }[],
  succeeded: Map<string, number>,
): void {
  const isOver = batch.state === 'cancelling' || batch.state === 'cancelled';
  const isRetried = [...stages.values()].some((stage) => stage.retry !== null);
  const above = (task: TaskRow) => {
    const own = stages.get(task.stage_id)?.group_size ?? 1;
    return edges
      .filter((edge) => edge.to_stage === task.stage_id)
      .flatMap((edge) => {
        const size = stages.get(edge.from_stage)?.group_size ?? 1;
        return tasks.filter(
          (upper) =>
            upper.stage_id === edge.from_stage &&
            upper.ordinal * size < (task.ordinal + 1) * own &&
            task.ordinal * own < (upper.ordinal + 1) * size,
        );
      });
  };
  const isLost = (task: TaskRow): boolean =>
    above(task).some((upper) => upper.state === 'abandoned' || isLost(upper));
  for (const task of tasks) {
    const key = `${batch.id}:${stages.get(task.stage_id)?.key}:${task.ordinal}`;
    const id = `${task.stage_id}:${task.ordinal}`;
    const before = succeeded.get(id);
    // What succeeded is kept, and never run again.
    if (before !== undefined) expect([key, task.state, task.attempt]).toEqual([key, 'succeeded', before]);
    if (task.state === 'succeeded') succeeded.set(id, task.attempt);
    if (isOver) continue;
    if (task.state === 'skipped') expect(isRetried || isLost(task), `${key} is skipped`).toBe(true);
    if (task.state === 'waiting') {
      expect(isLost(task), `${key} waits for a lost one`).toBe(false);
      const isWhole = [...stages.values()].every((stage) => Number(stage.expanded) === 1);
      expect(
        isWhole && above(task).every((upper) => upper.state === 'succeeded'),
        `${key} waits for nothing`,
      ).toBe(false);
    }
    if (task.state === 'ready' || task.state === 'leased')
      expect(
        above(task).filter((upper) => upper.state !== 'succeeded'),
        `${key} is ${task.state}`,
      ).toEqual([]);
  }
}
