import type { BatchState, InputBinding } from '@planfleet/shared-types';
import type { StageDefinition } from '../../blueprint.ts';
import { bindStatement, type Database, readRows } from '../database.ts';
import { IS_CHILD_LANE } from '../statements/hold.ts';

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

const READY = `SELECT s.id AS stage, t.ordinal, t.attempt + 1 AS attempt, s.key AS stage_key, i.item, s.list_id IS NOT NULL AS has_list,
    s.definition, s.priority, b.id AS batch_id, b.plan_name, b.plan_digest, b.bundle, b.plan_folder, b.inputs, b.submitted_by, b.depth,
    (SELECT json_object('id', c.id, 'state', c.state) FROM batches c
      WHERE c.parent_stage = s.id AND c.parent_ordinal = t.ordinal ORDER BY c.parent_attempt DESC LIMIT 1) AS earlier
  FROM stages s CROSS JOIN tasks t CROSS JOIN batches b
    LEFT JOIN lists l ON l.id = s.list_id
    LEFT JOIN tasks i ON i.stage_id = l.lead_stage AND i.ordinal = t.ordinal
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

const LIVE_CHILDREN = (of: BatchState) => `SELECT c.id FROM batches p CROSS JOIN stages s CROSS JOIN batches c
  WHERE p.state IN ('active','paused','cancelling') AND +p.state = '${of}' AND s.batch_seq = p.seq AND +s.${IS_CHILD_LANE} AND s.leased > 0
    AND c.parent_stage = s.id AND c.state IN ('active','paused','cancelling')`;

const TO_CANCEL = `${LIVE_CHILDREN('cancelling')} AND +c.state <> 'cancelling' LIMIT :limit`;

/** Live children of batches that were cancelled. */
export async function findChildrenToCancel(db: Database, limit: number): Promise<string[]> {
  const [result] = await db.batch([bindStatement(TO_CANCEL, { limit })], 'read');
  return readRows<{ id: string }>(result).map((row) => row.id);
}
