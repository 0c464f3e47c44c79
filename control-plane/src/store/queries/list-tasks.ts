import type { Page, TaskState, TaskView } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows, type Statement } from '../database.ts';
import { type StageOfTask, TASK_COLUMNS, TASK_JOINS, type TaskRow, toTaskView } from './task-view.ts';

export interface TaskQuery {
  readonly batch_id: string;
  readonly state: TaskState | null;
  readonly stage: string | null;
  readonly limit: number;
  /** The last task of the page before. */
  readonly after: { readonly position: number; readonly ordinal: number } | null;
}

const READ_STAGES = `SELECT s.id, s.position, s.key, s.state, s.list_id, b.id AS batch_id, s.total, s.waiting, s.ready,
    s.leased, s.backoff, s.succeeded, s.abandoned, s.skipped, s.cancelled
  FROM batches b JOIN stages s ON s.batch_seq = b.seq
  WHERE b.id = :batch_id ORDER BY s.position`;

const READ_TASKS = `SELECT ${TASK_COLUMNS} FROM tasks t JOIN stages s ON s.id = t.stage_id ${TASK_JOINS}
  WHERE t.stage_id = :stage_id AND t.ordinal > :after
    AND (:state IS NULL OR t.state = :state OR (:state = 'waiting' AND t.state = 'ready' AND s.state <> 'open'))
  ORDER BY t.ordinal LIMIT :limit`;

/**
 * Tasks in the order of the plan. The stages' counters tell which of them hold what is asked for, so that only
 * those are read, and no more of them than the page needs: two round trips, whatever the size of the batch.
 */
export async function listTasks(db: Database, query: TaskQuery): Promise<Page<TaskView> | null> {
  const [stagesResult] = await db.batch([bindStatement(READ_STAGES, { batch_id: query.batch_id })], 'read');
  const stages = readRows<StageRow>(stagesResult);
  if (stages.length === 0) return null;
  const needed = selectStages(stages, query);
  if (needed.length === 0) return { items: [], next_cursor: null };

  const results = await db.batch(
    needed.map((stage) => readTasks(stage, query)),
    'read',
  );
  const found = results.flatMap((result, index) =>
    readRows<TaskRow>(result).map((row) => ({ row, stage: needed[index] })),
  );
  const items: TaskView[] = [];
  let next_cursor: string | null = null;
  for (const { row, stage } of found.slice(0, query.limit)) {
    if (stage === undefined) continue;
    items.push(toTaskView(row, stage));
    next_cursor = `${stage.position}.${row.ordinal}`;
  }
  return { items, next_cursor: found.length > query.limit ? next_cursor : null };
}

/** The stages that a page may come from: from the cursor's on, until their counters promise one task too many. */
function selectStages(stages: readonly StageRow[], query: TaskQuery): StageRow[] {
  const { stage: key, after, limit } = query;
  const selected: StageRow[] = [];
  let promised = 0;
  for (const stage of stages) {
    if (key !== null && stage.key !== key) continue;
    if (after !== null && stage.position < after.position) continue;
    const count = countOf(stage, query.state);
    if (count === 0) continue;
    selected.push(stage);
    // How much of the cursor's own stage is left is not known, so it promises nothing.
    if (stage.position !== after?.position) promised += count;
    if (promised > limit) break;
  }
  return selected;
}

function countOf(stage: StageRow, state: TaskState | null): number {
  if (state === null) return stage.total;
  if (state === 'ready') return stage.state === 'open' ? stage.ready : 0;
  if (state === 'waiting' && stage.state !== 'open') return stage.waiting + stage.ready;
  return stage[state];
}

function readTasks(stage: StageRow, { state, after, limit }: TaskQuery): Statement {
  return bindStatement(READ_TASKS, {
    stage_id: stage.id,
    after: stage.position === after?.position ? after.ordinal : -1,
    state,
    limit: limit + 1,
  });
}

interface StageRow extends StageOfTask {
  id: number;
  position: number;
  total: number;
  waiting: number;
  ready: number;
  leased: number;
  backoff: number;
  succeeded: number;
  abandoned: number;
  skipped: number;
  cancelled: number;
}
