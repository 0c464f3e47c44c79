import { integer, primaryKey, real, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * The tables as drizzle reads them. The migrations are the truth (drizzle cannot express WITHOUT ROWID); a test
 * compares the two. What each table is for, and why: control-plane/docs/store.md.
 */
export const batches = sqliteTable('batches', {
  seq: integer().primaryKey(),
  id: text().notNull(),
  state: text().notNull(),
  plan_name: text().notNull(),
  plan_digest: text().notNull(),
  bundle: text(),
  setup: text(),
  inputs: text().notNull(),
  priority: integer().notNull(),
  submitted_by: text().notNull(),
  created_at: integer().notNull(),
  finished_at: integer(),
  idempotency_key: text(),
  request_digest: text(),
  answer: text(),
  deleted_at: integer(),
  plan_folder: text().notNull(),
  depth: integer().notNull(),
  parent_stage: integer(),
  parent_ordinal: integer(),
  parent_attempt: integer(),
  parent_paused: integer().notNull(),
  home: integer(),
});

export const lists = sqliteTable('lists', {
  id: integer().primaryKey(),
  batch_seq: integer().notNull(),
  producer_stage: integer(),
  lead_stage: integer().notNull(),
  path: text(),
  jsonpath: text(),
  lease: integer(),
  count: integer(),
  cursor: integer().notNull(),
  grouped: integer().notNull(),
});

export const listChunks = sqliteTable(
  'list_chunks',
  {
    list_id: integer().notNull(),
    lease: integer().notNull(),
    first: integer().notNull(),
    count: integer().notNull(),
    sha256: text().notNull(),
    items: text().notNull(),
    repeats: text(),
  },
  (table) => [primaryKey({ columns: [table.list_id, table.lease, table.first] })],
);

export const listItems = sqliteTable(
  'list_items',
  { list_id: integer().notNull(), ordinal: integer().notNull(), item: text().notNull() },
  (table) => [primaryKey({ columns: [table.list_id, table.ordinal] })],
);

export const listRepeats = sqliteTable(
  'list_repeats',
  { list_id: integer().notNull(), ordinal: integer().notNull(), nth: integer().notNull() },
  (table) => [primaryKey({ columns: [table.list_id, table.ordinal] })],
);

export const stages = sqliteTable('stages', {
  id: integer().primaryKey(),
  batch_seq: integer().notNull(),
  position: integer().notNull(),
  key: text().notNull(),
  description: text(),
  class: text().notNull(),
  labels: text().notNull(),
  priority: integer().notNull(),
  definition: text().notNull(),
  max_attempts: integer().notNull(),
  max_failures: integer().notNull(),
  max_failures_percent: real().notNull(),
  list_id: integer(),
  storage: text(),
  state: text().notNull(),
  runnable: integer().notNull(),
  expanded: integer().notNull(),
  served: integer().notNull(),
  sweep: integer().notNull(),
  total: integer().notNull(),
  waiting: integer().notNull(),
  ready: integer().notNull(),
  leased: integer().notNull(),
  backoff: integer().notNull(),
  succeeded: integer().notNull(),
  abandoned: integer().notNull(),
  skipped: integer().notNull(),
  cancelled: integer().notNull(),
  group_size: integer().notNull(),
  opened_at: integer(),
  retry: integer(),
});

export const stageEdges = sqliteTable(
  'stage_edges',
  { from_stage: integer().notNull(), to_stage: integer().notNull(), kind: text().notNull() },
  (table) => [primaryKey({ columns: [table.from_stage, table.to_stage, table.kind] })],
);

export const tasks = sqliteTable(
  'tasks',
  {
    stage_id: integer().notNull(),
    ordinal: integer().notNull(),
    state: text().notNull(),
    item: text(),
    attempt: integer().notNull(),
    tries: integer().notNull(),
    losses: integer().notNull(),
    not_before: integer(),
    agent_id: integer(),
    session: integer(),
    lease: integer(),
    leased_at: integer(),
    stop: integer(),
  },
  (table) => [primaryKey({ columns: [table.stage_id, table.ordinal] })],
);

export const attempts = sqliteTable(
  'attempts',
  {
    stage_id: integer().notNull(),
    ordinal: integer().notNull(),
    attempt: integer().notNull(),
    agent_id: integer().notNull(),
    outcome: text().notNull(),
    error_type: text(),
    message: text(),
    exit_code: integer(),
    signal: text(),
    late: integer().notNull(),
    claimed_at: integer().notNull(),
    started_at: integer(),
    ended_at: integer().notNull(),
    tail: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.stage_id, table.ordinal, table.attempt] })],
);

export const agents = sqliteTable('agents', {
  id: integer().primaryKey(),
  name: text().notNull(),
  session: integer().notNull(),
  boot_id: text().notNull(),
  started_at: integer().notNull(),
  hostname: text().notNull(),
  version: text().notNull(),
  slots: integer().notNull(),
  labels: text().notNull(),
  storage: text().notNull(),
  expires_at: integer(),
  last_seen_at: integer().notNull(),
  missing_at: integer(),
  draining_at: integer(),
});

export const files = sqliteTable(
  'files',
  {
    batch_seq: integer().notNull(),
    path: text().notNull(),
    sha256: text().notNull(),
    size: integer().notNull(),
    mode: integer().notNull(),
    stage_id: integer().notNull(),
    ordinal: integer().notNull(),
    attempt: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.batch_seq, table.path] })],
);

export const logChunks = sqliteTable(
  'log_chunks',
  {
    stage_id: integer().notNull(),
    ordinal: integer().notNull(),
    attempt: integer().notNull(),
    first: integer().notNull(),
    size: integer().notNull(),
    data: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.stage_id, table.ordinal, table.attempt, table.first] })],
);

export const liveLogs = sqliteTable(
  'live_logs',
  {
    stage_id: integer().notNull(),
    ordinal: integer().notNull(),
    attempt: integer().notNull(),
    lease: integer().notNull(),
    progress: real(),
    progress_text: text(),
    followed_until: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.stage_id, table.ordinal, table.attempt] })],
);

export const attemptLogs = sqliteTable(
  'attempt_logs',
  {
    batch_seq: integer().notNull(),
    path: text().notNull(),
    stage_id: integer().notNull(),
    ordinal: integer().notNull(),
    attempt: integer().notNull(),
    size: integer().notNull(),
    head: integer().notNull(),
    tail: integer().notNull(),
    stored: integer().notNull(),
    sha256: text().notNull(),
    kept: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.batch_seq, table.path] })],
);

export const childEnds = sqliteTable(
  'child_ends',
  {
    stage_id: integer().notNull(),
    ordinal: integer().notNull(),
    attempt: integer().notNull(),
    child_id: text().notNull(),
    state: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.stage_id, table.ordinal, table.attempt] })],
);

export const childPlans = sqliteTable(
  'child_plans',
  { plan_digest: text().notNull(), folder: text().notNull(), markdown: text().notNull() },
  (table) => [primaryKey({ columns: [table.plan_digest, table.folder] })],
);

export const tokens = sqliteTable('tokens', {
  jti: text().primaryKey(),
  subject: text().notNull(),
  scopes: text().notNull(),
  agent: text(),
  plans: text(),
  created_at: integer().notNull(),
  expires_at: integer(),
  revoked_at: integer(),
});

export const plans = sqliteTable('plans', {
  id: integer().primaryKey(),
  name: text().notNull(),
  version: integer().notNull(),
  digest: text().notNull(),
  bundle: text(),
  registered_by: text().notNull(),
  created_at: integer().notNull(),
  files: text(),
  markdown: text().notNull(),
});

export const brain = sqliteTable('brain', {
  id: integer().primaryKey(),
  claim_no: integer().notNull(),
  wake: integer().notNull(),
  last_tick_at: integer().notNull(),
  tick_until: integer().notNull(),
  expire_not_before: integer().notNull(),
  decisions_logged: integer().notNull(),
});

export const decisions = sqliteTable('decisions', {
  id: integer().primaryKey(),
  at: integer().notNull(),
  type: text().notNull(),
  batch_seq: integer(),
  stage_id: integer(),
  ordinal: integer(),
  attempt: integer(),
  agent: text(),
  count: integer().notNull(),
  message: text().notNull(),
  details: text(),
});
