import { ItemNames, MAX_CHUNK_ITEMS } from '@planfleet/shared-types';
import { type BatchContent, countTasks, type ListBlueprint, type StageBlueprint } from '../../blueprint.ts';
import {
  bindStatement,
  type Database,
  type ResultSet,
  readRows,
  type Statement,
  toItemsJson,
  toJson,
} from '../database.ts';
import { type FirstSubmission, findSubmission } from '../queries/find-submission.ts';
import { BRAIN_AGENT } from '../statements/hold.ts';
import { expandList } from './expand-list.ts';
import { settleStages } from './settle-stages.ts';

export interface Submission extends BatchContent {
  readonly submitted_by: string;
  readonly now: number;
  /** Null: each submission is a batch of its own. */
  readonly idempotency?: Idempotency | null;
  /** Folder of the bundle that is its `{PLAN_PATH}`, as `a/b`; none: the top. */
  readonly plan_folder?: string;
  /** The task that starts it, held for this attempt by the statements that come before. */
  readonly parent?: ParentTask;
}

/** What makes a repeated submission the same one, for as long as there is the batch. */
export interface Idempotency {
  /** Unique for `submitted_by`. */
  readonly key: string;
  /** sha256 of what was asked for. */
  readonly digest: string;
  /** What was answered besides the batch's id, to be answered again. */
  readonly answer: object;
}

export interface ParentTask {
  readonly stage: number;
  readonly ordinal: number;
  readonly attempt: number;
  /** Of the child: 1 where the parent was submitted by somebody. */
  readonly depth: number;
  /** The child reads or writes files of its parent, so that it runs where they are. */
  readonly shares_files: boolean;
}

export interface SubmitResult {
  readonly batch_id: string;
  readonly stages: number;
  readonly tasks: number;
  /** Set: the key has a batch already; nothing was stored. */
  readonly first: FirstSubmission | null;
}

/**
 * A child whose parent's task is not held for it, or has a live child, gets no id: the schema refuses that, and so all
 * of its batch.
 */
const IS_REFUSED = `:parent_stage IS NOT NULL AND (NOT EXISTS (SELECT 1 FROM tasks t WHERE t.stage_id = :parent_stage
    AND t.ordinal = :parent_ordinal AND +t.state = 'leased' AND t.agent_id = ${BRAIN_AGENT} AND t.attempt = :parent_attempt)
  OR EXISTS (SELECT 1 FROM batches c WHERE c.parent_stage = :parent_stage AND c.parent_ordinal = :parent_ordinal
    AND c.state IN ('active','paused','cancelling')))`;

/** `YYYYMMDD_HHMMSS`; another in the same second gets `_02`, in this same INSERT. Deleted ones count too. */
const INSERT_BATCH = `INSERT INTO batches (id, state, plan_name, plan_digest, bundle, setup, inputs, priority, submitted_by, created_at,
  idempotency_key, request_digest, answer, plan_folder, depth, parent_stage, parent_ordinal, parent_attempt, home)
SELECT CASE WHEN ${IS_REFUSED} THEN NULL WHEN NOT EXISTS (SELECT 1 FROM batches WHERE id >= :base AND id < :base || '\`') THEN :base
    ELSE :base || printf('_%02d', 1 + coalesce((SELECT max(CAST(substr(id, 17) AS INTEGER)) FROM batches
      WHERE id > :base || '_' AND id < :base || '\`'), 1)) END,
  'active', :plan_name, :plan_digest, :bundle, :setup, :inputs, :priority, :submitted_by, :now, :idempotency_key, :request_digest, :answer,
  :plan_folder, :depth, :parent_stage, :parent_ordinal, :parent_attempt,
  (SELECT coalesce(p.home, p.seq) FROM stages s JOIN batches p ON p.seq = s.batch_seq WHERE s.id = :home_stage)
RETURNING id`;

/** Batches with one home stay on the storage where the first task of any of them runs. */
const FOUND_HOME = `UPDATE batches SET home = seq
  WHERE seq = (SELECT batch_seq FROM stages WHERE id = :home_stage) AND home IS NULL`;

/** Rows of one INSERT get consecutive ids, so that a stage's id is the first one plus its position. */
const INSERT_STAGES = `INSERT INTO stages (batch_seq, position, key, description, class, labels, priority, definition, max_attempts,
  max_failures, max_failures_percent, state, runnable, expanded, total, ready, group_size, opened_at, storage)
SELECT (SELECT max(seq) FROM batches), j.key, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6,
  value->>7, value->>8, value->>9, value->>10, value->>11, value->>11, value->>11, value->>12, iif(value->>10, :now, NULL),
  (SELECT storage FROM stages WHERE id = :home_stage)
FROM json_each(:stages) j ORDER BY j.key
RETURNING id`;

const FIRST_STAGE = '(SELECT max(id) - :stage_count + 1 FROM stages)';

const INSERT_EDGES = `INSERT INTO stage_edges (from_stage, to_stage, kind)
SELECT value->>0 + ${FIRST_STAGE}, value->>1 + ${FIRST_STAGE}, value->>2 FROM json_each(:edges)`;

const INSERT_TASKS = `INSERT INTO tasks (stage_id, ordinal, state)
SELECT id, 0, 'ready' FROM stages WHERE id >= ${FIRST_STAGE} AND total = 1`;

const INSERT_LISTS = `INSERT INTO lists (batch_seq, producer_stage, lead_stage, path, jsonpath, lease, count, grouped)
SELECT (SELECT max(seq) FROM batches), value->>0 + ${FIRST_STAGE}, value->>1 + ${FIRST_STAGE}, value->>2, value->>3, value->>4, value->>5, value->>6
FROM json_each(:lists) j ORDER BY j.key
RETURNING id`;

const DECIDE = `INSERT INTO decisions (at, type, batch_seq, count, message, details)
SELECT :now, 'PLAN_PARSED', seq, :stage_count, 'Plan ' || plan_name || ' of ' || submitted_by || ' is batch ' || id || ': '
    || :stage_count || iif(:stage_count = 1, ' stage', ' stages') || ', which begins with ' || :begins || '.',
    json_object('plan_digest', plan_digest, 'priority', priority)
  FROM batches WHERE seq = (SELECT max(seq) FROM batches)`;

const FIRST_LIST = '(SELECT max(id) - :list_count + 1 FROM lists)';

const LINK_LISTS = `UPDATE stages SET list_id = ${FIRST_LIST} + link.l
FROM (SELECT value->>0 AS s, value->>1 AS l FROM json_each(:links)) link
WHERE stages.id = link.s + ${FIRST_STAGE}`;

const INSERT_CHUNKS = `INSERT INTO list_chunks (list_id, lease, first, count, sha256, items, repeats)
SELECT value->>0 + ${FIRST_LIST}, 0, value->>1, value->>2, '', value->>3, value->>4 FROM json_each(:chunks)`;

/**
 * SUBMIT: a batch with its stages, edges, lists and single tasks. All or nothing, with what `before` changes. Of two
 * with one idempotency key the second one fails in the INSERT itself, and is told of the first one's batch.
 */
export async function submitBatch(
  db: Database,
  submission: Submission,
  before: readonly Statement[] = [],
): Promise<SubmitResult> {
  const { blueprint, now, submitted_by, idempotency = null } = submission;
  let results: ResultSet[];
  try {
    results = (await db.batch([...before, ...insertBatch(submission)], 'write')).slice(before.length);
  } catch (error) {
    // Whatever failed: a batch under this key is what was asked for, also when it was this one's answer that got lost.
    const first =
      idempotency === null ? null : await findSubmission(db, { submitted_by, key: idempotency.key });
    if (first === null) throw error;
    return { batch_id: first.batch_id, stages: blueprint.stages.length, tasks: countTasks(blueprint), first };
  }
  const batch_id = readRows<{ id: string }>(results[0])[0]?.id ?? '';

  // Inline lists are expanded now as far as one chunk goes; the tick goes on where this ends or dies.
  const stageIds = readRows<{ id: number }>(results[1]).map((row) => row.id);
  const lists = blueprint.lists.length > 0 ? readRows<{ id: number }>(results[4]) : [];
  for (const [index, list] of blueprint.lists.entries()) {
    const id = lists[index]?.id;
    if (list.source.kind === 'inline' && id !== undefined) await expandList(db, { list: id, now });
  }
  if (blueprint.stages.length === 0) await settleStages(db, { stages: stageIds, now });
  return { batch_id, stages: blueprint.stages.length, tasks: countTasks(blueprint), first: null };
}

function insertBatch(submission: Submission): Statement[] {
  const { blueprint, inputs, now, plan_name, plan_digest, bundle, setup, priority, submitted_by, parent } =
    submission;
  const { idempotency = null } = submission;
  const withList = new Set(blueprint.lists.flatMap((list) => list.stages));
  const waits = new Set(blueprint.edges.filter((edge) => edge.kind === 'all').map((edge) => edge.to));
  const params = {
    plan_name,
    plan_digest,
    bundle,
    setup,
    priority,
    submitted_by,
    now,
    idempotency_key: idempotency?.key ?? null,
    request_digest: idempotency?.digest ?? null,
    answer: idempotency === null ? null : toJson(idempotency.answer),
    plan_folder: submission.plan_folder ?? '',
    depth: parent?.depth ?? 0,
    parent_stage: parent?.stage ?? null,
    parent_ordinal: parent?.ordinal ?? null,
    parent_attempt: parent?.attempt ?? null,
    home_stage: parent?.shares_files === true ? parent.stage : null,
    base: formatBatchTime(now),
    inputs: JSON.stringify(inputs),
    stage_count: blueprint.stages.length,
    begins: nameFirst(blueprint.stages.filter((_, position) => !waits.has(position))),
    stages: toJson(
      blueprint.stages.map((stage, position) =>
        stageRow(stage, !waits.has(position), !withList.has(position)),
      ),
    ),
    edges: toJson(blueprint.edges.map((edge) => [edge.from, edge.to, edge.kind])),
    list_count: blueprint.lists.length,
    lists: toJson(blueprint.lists.map((list) => listRow(list, blueprint.stages))),
    links: toJson(blueprint.lists.flatMap((list, index) => list.stages.map((stage) => [stage, index]))),
    chunks: toJson(blueprint.lists.flatMap(chunkRows)),
  };
  const statements: Statement[] = [INSERT_BATCH, INSERT_STAGES, INSERT_EDGES, INSERT_TASKS].map((sql) =>
    bindStatement(sql, params),
  );
  if (blueprint.lists.length > 0) {
    statements.push(...[INSERT_LISTS, LINK_LISTS, INSERT_CHUNKS].map((sql) => bindStatement(sql, params)));
  }
  if (parent?.shares_files === true) statements.push(bindStatement(FOUND_HOME, params));
  statements.push(bindStatement(DECIDE, params));
  return statements;
}

/** More names than a line holds tell nobody more. */
const MOST_NAMES = 5;

function nameFirst(stages: readonly StageBlueprint[]): string {
  if (stages.length === 0) return 'nothing';
  const names = stages.slice(0, MOST_NAMES).map((stage) => stage.key);
  const more = stages.length - names.length;
  return `${names.join(', ')}${more === 0 ? '' : ` and ${more} more`}`;
}

function stageRow(stage: StageBlueprint, open: boolean, single: boolean): unknown[] {
  return [
    stage.key,
    stage.description,
    stage.task_class,
    JSON.stringify(stage.labels),
    stage.priority,
    JSON.stringify(stage.definition),
    stage.max_attempts,
    stage.max_failures,
    stage.max_failures_percent,
    open ? 'open' : 'waiting',
    open ? 1 : 0,
    single ? 1 : 0,
    stage.group_size,
  ];
}

function listRow(list: ListBlueprint, stages: readonly StageBlueprint[]): unknown[] {
  const { source } = list;
  const grouped = list.stages.some((position) => groupSize(stages, position) > 1) ? 1 : 0;
  return source.kind === 'file'
    ? [source.producer, list.stages[0], source.path, source.jsonpath, null, null, grouped]
    : [null, list.stages[0], null, null, 0, source.items.length, grouped];
}

function chunkRows(list: ListBlueprint, index: number): unknown[][] {
  if (list.source.kind === 'file') return [];
  const names = new ItemNames();
  const rows: unknown[][] = [];
  for (let first = 0; first < list.source.items.length; first += MAX_CHUNK_ITEMS) {
    const items = list.source.items.slice(first, first + MAX_CHUNK_ITEMS);
    const repeats = names.findRepeats(items, first);
    const repeated = repeats.length === 0 ? null : JSON.stringify(repeats);
    rows.push([index, first, items.length, toItemsJson(items), repeated]);
  }
  return rows;
}

/** Tasks that a list in the plan will become. */
function groupSize(stages: readonly StageBlueprint[], position: number): number {
  return stages[position]?.group_size ?? 1;
}

/** `YYYYMMDD_HHMMSS` in UTC. */
function formatBatchTime(now: number): string {
  const [date = '', time = ''] = new Date(now).toISOString().split('T');
  return `${date.replaceAll('-', '')}_${time.slice(0, 8).replaceAll(':', '')}`;
}
