import type { BatchState, InputBinding } from '@planfleet/shared-types';
import type { StageDefinition } from '../../blueprint.ts';
import { bindStatement, type Database, readRows } from '../database.ts';
import { BRAIN_AGENT, IS_CHILD_LANE } from '../statements/hold.ts';

/** A task of type execute_plan that can begin now, with all that its child batch is made of. */
export interface ReadyChildTask {
  readonly stage: number;
  readonly ordinal: number;
  /** The one that would begin. */
  readonly attempt: number;
  readonly stage_key: string;
  readonly item: unknown;
  readonly has_list: boolean;
  readonly definition: StageDefinition;
  readonly priority: number;
  readonly batch_id: string;
  readonly plan_name: string;
  readonly plan_digest: string;
  readonly bundle: string | null;
  readonly plan_folder: string;
  readonly inputs: Readonly<Record<string, InputBinding>>;
  readonly submitted_by: string;
  readonly depth: number;
  /** The child of the attempt before, where it is still there. */
  readonly earlier: { readonly id: string; readonly state: BatchState } | null;
}

const READY = `SELECT s.id AS stage, t.ordinal, t.attempt + 1 AS attempt, s.key AS stage_key, coalesce(i.item, x.item) AS item, s.list_id IS NOT NULL AS has_list,
    s.definition, s.priority, b.id AS batch_id, b.plan_name, b.plan_digest, b.bundle, b.plan_folder, b.inputs, b.submitted_by, b.depth,
    (SELECT json_object('id', c.id, 'state', c.state) FROM batches c
      WHERE c.parent_stage = s.id AND c.parent_ordinal = t.ordinal AND c.deleted_at IS NULL
      ORDER BY c.parent_attempt DESC LIMIT 1) AS earlier
  FROM stages s CROSS JOIN tasks t CROSS JOIN batches b
    LEFT JOIN lists l ON l.id = s.list_id
    LEFT JOIN tasks i ON i.stage_id = l.lead_stage AND i.ordinal = t.ordinal
    LEFT JOIN list_items x ON x.list_id = l.id AND x.ordinal = t.ordinal
  WHERE s.ready > 0 AND s.runnable = 1 AND s.${IS_CHILD_LANE} AND t.stage_id = s.id AND t.state = 'ready' AND b.seq = s.batch_seq
  ORDER BY s.priority DESC, s.served LIMIT :limit`;

/** Tasks for the brain to hold, the most urgent first. */
export async function findReadyChildTasks(db: Database, limit: number): Promise<ReadyChildTask[]> {
  const [result] = await db.batch([bindStatement(READY, { limit })], 'read');
  return readRows<ReadyRow>(result).map((row) => ({
    ...row,
    has_list: Number(row.has_list) === 1,
    item: row.item === null ? null : (JSON.parse(row.item) as unknown),
    definition: JSON.parse(row.definition) as StageDefinition,
    inputs: JSON.parse(row.inputs) as Record<string, InputBinding>,
    earlier: row.earlier === null ? null : (JSON.parse(row.earlier) as ReadyChildTask['earlier']),
  }));
}

interface ReadyRow extends Omit<ReadyChildTask, 'has_list' | 'item' | 'definition' | 'inputs' | 'earlier'> {
  readonly has_list: number;
  readonly item: string | null;
  readonly definition: string;
  readonly inputs: string;
  readonly earlier: string | null;
}

const TO_CANCEL = `SELECT c.id FROM tasks t INDEXED BY tasks_stopped_below CROSS JOIN batches c
  WHERE t.agent_id = ${BRAIN_AGENT} AND t.stop IS NOT NULL AND c.parent_stage = t.stage_id AND c.parent_ordinal = t.ordinal
    AND c.parent_attempt = t.attempt AND +c.state IN ('active','paused') LIMIT :limit`;

const LIVE_CHILDREN = (
  of: BatchState,
  those: string,
) => `SELECT c.id FROM batches p CROSS JOIN stages s CROSS JOIN batches c
  WHERE p.state IN ('active','paused','cancelling') AND +p.state = '${of}' AND s.batch_seq = p.seq AND +s.${IS_CHILD_LANE} AND s.leased > 0
    AND c.parent_stage = s.id AND c.state IN ('active','paused','cancelling') AND ${those} LIMIT :limit`;

const TO_PAUSE = LIVE_CHILDREN('paused', "+c.state = 'active'");
/** One that somebody paused by itself stays so. */
const TO_RESUME = LIVE_CHILDREN('active', "+c.state = 'paused' AND c.parent_paused = 1");

/** Live children whose parents do not want them to run on as they do. */
export interface ChildrenToChange {
  /** Their task was told to stop, as when its batch is cancelled. */
  readonly cancel: readonly string[];
  readonly pause: readonly string[];
  readonly resume: readonly string[];
}

/** At most `limit` of each. */
export async function findChildrenToChange(db: Database, limit: number): Promise<ChildrenToChange> {
  const results = await db.batch(
    [TO_CANCEL, TO_PAUSE, TO_RESUME].map((sql) => bindStatement(sql, { limit })),
    'read',
  );
  const [cancel = [], pause = [], resume = []] = results.map((result) =>
    readRows<{ id: string }>(result).map((row) => row.id),
  );
  return { cancel, pause, resume };
}
