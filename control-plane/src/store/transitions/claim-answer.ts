import type { ClaimAnswer, InputBinding, LeasedTask, LeaseKey, StageSpec } from '@planfleet/shared-types';
import type { StageDefinition } from '../../blueprint.ts';
import { type ResultSet, readRows } from '../database.ts';

interface LeaseRow {
  readonly stage: number;
  readonly ordinal: number;
  readonly lease: number;
  readonly attempt: number;
  readonly item: string | null;
}

interface StageRow {
  readonly id: number;
  readonly key: string;
  readonly definition: string;
  readonly has_list: number;
  readonly batch_id: string;
  readonly plan_name: string;
  readonly plan_digest: string;
  readonly bundle: string | null;
  readonly plan_folder: string;
  readonly setup: string | null;
  readonly inputs: string;
  readonly lists: string;
}

/** Reads the three results of `readLeases`, which begin at `offset`. */
export function readClaimAnswer(results: readonly ResultSet[], offset: number): ClaimAnswer {
  return {
    leases: readRows<LeaseRow>(results[offset]).map(toLeasedTask),
    stages: readRows<StageRow>(results[offset + 1]).map(toStageSpec),
    stops: readRows<LeaseKey>(results[offset + 2]),
  };
}

function toLeasedTask(row: LeaseRow): LeasedTask {
  const { stage, ordinal, lease, attempt } = row;
  return row.item === null
    ? { stage, ordinal, lease, attempt }
    : { stage, ordinal, lease, attempt, item: JSON.parse(row.item) as unknown };
}

function toStageSpec(row: StageRow): StageSpec {
  const definition = JSON.parse(row.definition) as StageDefinition;
  const lists = JSON.parse(row.lists) as [number, string, string | null][];
  return {
    stage: row.id,
    batch_id: row.batch_id,
    key: row.key,
    plan_name: row.plan_name,
    plan_digest: row.plan_digest,
    bundle: row.bundle,
    ...(row.plan_folder === '' ? {} : { plan_folder: row.plan_folder }),
    setup: row.setup,
    inputs: JSON.parse(row.inputs) as Record<string, InputBinding>,
    command: definition.command,
    env: { ...definition.env },
    timeout_ms: definition.timeout_ms,
    produces: [...definition.produces],
    lists: lists.map(([list, path, jsonpath]) => ({ list, path, jsonpath })),
    has_list: Number(row.has_list) === 1,
  };
}
