import {
  formatTaskId,
  type StageState,
  type TaskState,
  type TaskView,
  taskName,
} from '@planfleet/shared-types';
import { toIsoOrNull } from './view-time.ts';

/** Item texts stand once: with the first stage over a list, or by themselves where a stage has groups of items. */
export const TASK_COLUMNS = `t.ordinal, t.state, t.attempt, t.tries, t.losses, t.not_before, coalesce(i.item, x.item) AS item,
  n.nth, s.group_size, l.count AS list_count, iif(t.state = 'leased', a.name, NULL) AS agent,
  p.progress, p.progress_text`;
export const TASK_JOINS = `LEFT JOIN agents a ON a.id = t.agent_id
  LEFT JOIN lists l ON l.id = s.list_id
  LEFT JOIN tasks i ON i.stage_id = l.lead_stage AND i.ordinal = t.ordinal
  LEFT JOIN list_items x ON s.group_size = 1 AND x.list_id = l.id AND x.ordinal = t.ordinal
  LEFT JOIN list_repeats n ON s.group_size = 1 AND n.list_id = l.id AND n.ordinal = t.ordinal
  LEFT JOIN live_logs p ON p.stage_id = t.stage_id AND p.ordinal = t.ordinal AND p.attempt = t.attempt AND t.state = 'leased'`;

export interface TaskRow {
  ordinal: number;
  state: TaskState;
  attempt: number;
  tries: number;
  losses: number;
  not_before: number | null;
  item: string | null;
  nth: number | null;
  group_size: number;
  list_count: number | null;
  agent: string | null;
  progress: number | null;
  progress_text: string | null;
}

export interface StageOfTask {
  batch_id: string;
  key: string;
  state: StageState;
  list_id: number | null;
}

export function toTaskView(row: TaskRow, stage: StageOfTask): TaskView {
  const item: unknown = row.item === null ? null : JSON.parse(row.item);
  const address = { batch_id: stage.batch_id, stage_key: stage.key, ordinal: row.ordinal };
  return {
    id: formatTaskId(address),
    name: taskName(
      stage.key,
      stage.list_id === null ? null : { ...row, item, list_count: row.list_count ?? 0 },
    ),
    stage: stage.key,
    ordinal: row.ordinal,
    state: row.state === 'ready' && stage.state !== 'open' ? 'waiting' : row.state,
    attempts: row.attempt,
    tries: row.tries,
    losses: row.losses,
    agent: row.agent,
    not_before: toIsoOrNull(row.not_before),
    item,
    progress: row.progress,
    progress_text: row.progress_text,
  };
}
