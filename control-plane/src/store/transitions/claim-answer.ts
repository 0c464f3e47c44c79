import {
  type ClaimAnswer,
  type InputBinding,
  type LeasedTask,
  type StageSpec,
  type Stop,
  taskName,
} from '@planfleet/shared-types';
import type { StageDefinition } from '../../blueprint.ts';
import { type ResultSet, readRows } from '../database.ts';

interface LeaseRow {
  readonly stage: number;
  readonly ordinal: number;
  readonly lease: number;
  readonly attempt: number;
  /** Its item's text, where no stage of the list has groups. */
  readonly item: string | null;
  readonly key: string;
  readonly has_list: number;
  readonly group_size: number;
  readonly list_count: number | null;
  readonly nth: number | null;
  /** The texts of its items, where some stage of the list has groups. */
  readonly items: string | null;
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
    stops: readRows<Stop>(results[offset + 2]),
  };
}

function toLeasedTask(row: LeaseRow): LeasedTask {
  const { stage, ordinal, lease, attempt } = row;
  const own = readItems(row);
  return { stage, ordinal, lease, attempt, name: nameOf(row, own.item), ...own };
}

function readItems(row: LeaseRow): Pick<LeasedTask, 'item' | 'group'> {
  if (row.items === null) return row.item === null ? {} : { item: parseItem(row.item) };
  const items = (JSON.parse(row.items) as string[]).map(parseItem);
  if (row.group_size === 1) return { item: items[0] };
  return { group: { first: row.ordinal * row.group_size, items } };
}

function nameOf(row: LeaseRow, item: unknown): string {
  const { key, ordinal, group_size, nth } = row;
  if (row.has_list !== 1) return taskName(key, null);
  return taskName(key, { ordinal, group_size, nth, item, list_count: row.list_count ?? 0 });
}

function parseItem(text: string): unknown {
  return JSON.parse(text);
}

function toStageSpec(row: StageRow): StageSpec {
  const definition = JSON.parse(row.definition) as StageDefinition;
  const lists = JSON.parse(row.lists) as [number, string, string | null, number][];
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
    secrets: [...(definition.secrets ?? [])],
    setup_secrets: [...(definition.setup_secrets ?? [])],
    timeout_ms: definition.timeout_ms,
    produces: [...definition.produces],
    lists: lists.map(([list, path, jsonpath, group_size]) => ({ list, path, jsonpath, group_size })),
    has_list: Number(row.has_list) === 1,
  };
}
