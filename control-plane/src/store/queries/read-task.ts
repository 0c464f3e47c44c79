import type { AttemptView, Page, TaskAddress, TaskDetail } from '@planfleet/shared-types';
import { bindStatement, type Database, readRows } from '../database.ts';
import { GROUP_ITEMS } from '../statements/claim.ts';
import { toPage } from './page.ts';
import { type StageOfTask, TASK_COLUMNS, TASK_JOINS, type TaskRow, toTaskView } from './task-view.ts';
import { toIso, toIsoOrNull } from './view-time.ts';

const READ_TASK = `SELECT ${TASK_COLUMNS}, s.key, s.state AS stage_state, s.list_id, s.definition,
    CASE WHEN s.group_size > 1 THEN ${GROUP_ITEMS} END AS items,
    (SELECT c.id FROM batches c WHERE c.parent_stage = s.id AND c.parent_ordinal = t.ordinal
      AND c.deleted_at IS NULL ORDER BY c.parent_attempt DESC LIMIT 1) AS child_batch
  FROM batches b JOIN stages s ON s.batch_seq = b.seq JOIN tasks t ON t.stage_id = s.id ${TASK_JOINS}
  WHERE b.id = :batch_id AND s.key = :stage_key AND t.ordinal = :ordinal`;

/** The newest ones: a task that operators retry for ever must not make its page endless. */
const READ_ATTEMPTS = `SELECT * FROM (
  SELECT h.*, a.name AS agent FROM batches b JOIN stages s ON s.batch_seq = b.seq
    JOIN attempts h ON h.stage_id = s.id AND h.ordinal = :ordinal JOIN agents a ON a.id = h.agent_id
  WHERE b.id = :batch_id AND s.key = :stage_key ORDER BY h.attempt DESC LIMIT 50) ORDER BY attempt`;

const LIST_ATTEMPTS = `SELECT h.*, a.name AS agent FROM batches b JOIN stages s ON s.batch_seq = b.seq
    JOIN attempts h ON h.stage_id = s.id AND h.ordinal = :ordinal AND h.attempt > :after JOIN agents a ON a.id = h.agent_id
  WHERE b.id = :batch_id AND s.key = :stage_key ORDER BY h.attempt LIMIT :limit`;

/** All attempts of a task, oldest first; null: there is no such task. */
export async function listAttempts(
  db: Database,
  options: { address: TaskAddress; limit: number; after: number | null },
): Promise<Page<AttemptView> | null> {
  const { address, limit } = options;
  const params = { ...address, limit: limit + 1, after: options.after ?? 0 };
  const [task, attempts] = await db.batch(
    [bindStatement(READ_TASK, params), bindStatement(LIST_ATTEMPTS, params)],
    'read',
  );
  if (task?.rows.length === 0) return null;
  return toPage(readRows<AttemptRow>(attempts), limit, toAttemptView, (row) => String(row.attempt));
}

/** A task with its newest attempts; null: there is none. */
export async function readTask(db: Database, address: TaskAddress): Promise<TaskDetail | null> {
  const params = { ...address };
  const [task, attempts] = await db.batch(
    [bindStatement(READ_TASK, params), bindStatement(READ_ATTEMPTS, params)],
    'read',
  );
  const [row] = readRows<DetailRow>(task);
  if (row === undefined) return null;
  const stage: StageOfTask = { ...row, batch_id: address.batch_id, state: row.stage_state };
  return {
    ...toTaskView(row, stage),
    command: readCommand(row.definition),
    child_batch: row.child_batch,
    ...(row.items === null ? {} : { items: (JSON.parse(row.items) as string[]).map(parseItem) }),
    history: readRows<AttemptRow>(attempts).map(toAttemptView),
  };
}

interface DetailRow extends TaskRow {
  key: string;
  stage_state: StageOfTask['state'];
  list_id: number | null;
  definition: string;
  child_batch: string | null;
  items: string | null;
}

interface AttemptRow extends Omit<AttemptView, 'late' | 'claimed_at' | 'started_at' | 'ended_at'> {
  late: number;
  claimed_at: number;
  started_at: number | null;
  ended_at: number;
}

function toAttemptView(row: AttemptRow): AttemptView {
  const { attempt, agent, outcome, error_type, message, exit_code, signal, tail } = row;
  return {
    attempt,
    agent,
    outcome,
    error_type,
    message,
    exit_code,
    signal,
    late: row.late === 1,
    claimed_at: toIso(row.claimed_at),
    started_at: toIsoOrNull(row.started_at),
    ended_at: toIso(row.ended_at),
    tail,
  };
}

function parseItem(text: string): unknown {
  return JSON.parse(text);
}

/** The template as the plan has it: its paths are known only on the machine that runs it. */
function readCommand(definition: string): string | null {
  const { command } = JSON.parse(definition) as { command?: unknown };
  return typeof command === 'string' ? command : null;
}
