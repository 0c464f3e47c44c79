/** The first schema. Why it has this shape: control-plane/docs/store.md. */
export const INITIAL_SCHEMA = `
CREATE TABLE batches (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('active','paused','cancelling','succeeded','failed','cancelled')),
  plan_name TEXT NOT NULL,
  plan_digest TEXT NOT NULL,
  bundle TEXT,
  setup TEXT,
  inputs TEXT NOT NULL,
  priority INTEGER NOT NULL,
  submitted_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  finished_at INTEGER,
  CHECK ((state IN ('succeeded','failed','cancelled')) = (finished_at IS NOT NULL))
);
CREATE INDEX batches_live ON batches(seq) WHERE state IN ('active','paused','cancelling');

CREATE TABLE lists (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  batch_seq INTEGER NOT NULL REFERENCES batches(seq),
  producer_stage INTEGER,
  lead_stage INTEGER NOT NULL,
  path TEXT,
  jsonpath TEXT,
  lease INTEGER,
  count INTEGER,
  cursor INTEGER NOT NULL DEFAULT 0,
  CHECK ((lease IS NULL) = (count IS NULL)),
  CHECK (cursor <= coalesce(count, 0))
);
CREATE INDEX lists_batch ON lists(batch_seq);
CREATE INDEX lists_producer ON lists(producer_stage);
CREATE INDEX lists_expanding ON lists(id) WHERE count IS NOT NULL AND cursor < count;

CREATE TABLE list_chunks (
  list_id INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  first INTEGER NOT NULL,
  count INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  items TEXT NOT NULL,
  PRIMARY KEY (list_id, lease, first)
);

CREATE TABLE stages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  batch_seq INTEGER NOT NULL REFERENCES batches(seq),
  position INTEGER NOT NULL,
  key TEXT NOT NULL,
  description TEXT,
  class TEXT NOT NULL,
  labels TEXT NOT NULL,
  priority INTEGER NOT NULL,
  definition TEXT NOT NULL,
  max_attempts INTEGER NOT NULL,
  max_failures INTEGER NOT NULL,
  max_failures_percent REAL NOT NULL,
  list_id INTEGER REFERENCES lists(id),
  storage TEXT,
  state TEXT NOT NULL CHECK (state IN ('waiting','open','done','failed','cancelled')),
  runnable INTEGER NOT NULL CHECK (runnable IN (0, 1)),
  expanded INTEGER NOT NULL CHECK (expanded IN (0, 1)),
  served INTEGER NOT NULL DEFAULT 0,
  sweep INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0),
  ready INTEGER NOT NULL DEFAULT 0 CHECK (ready >= 0),
  leased INTEGER NOT NULL DEFAULT 0 CHECK (leased >= 0),
  backoff INTEGER NOT NULL DEFAULT 0 CHECK (backoff >= 0),
  succeeded INTEGER NOT NULL DEFAULT 0 CHECK (succeeded >= 0),
  abandoned INTEGER NOT NULL DEFAULT 0 CHECK (abandoned >= 0),
  skipped INTEGER NOT NULL DEFAULT 0 CHECK (skipped >= 0),
  cancelled INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
  UNIQUE (batch_seq, key),
  CHECK (total = waiting + ready + leased + backoff + succeeded + abandoned + skipped + cancelled)
);
CREATE INDEX stages_lane ON stages(class, priority DESC, served, id) WHERE ready > 0 AND runnable = 1;
CREATE INDEX stages_open ON stages(batch_seq) WHERE state = 'open';
CREATE INDEX stages_ended ON stages(id) WHERE state = 'open' AND expanded = 1 AND waiting + ready + leased + backoff = 0;
CREATE INDEX stages_homeless ON stages(batch_seq) WHERE storage IS NULL;
CREATE INDEX stages_list ON stages(list_id) WHERE list_id IS NOT NULL;

CREATE TABLE stage_edges (
  from_stage INTEGER NOT NULL,
  to_stage INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('all','item')),
  PRIMARY KEY (from_stage, to_stage, kind)
) WITHOUT ROWID;
CREATE INDEX stage_edges_to ON stage_edges(to_stage, kind, from_stage);

CREATE TABLE tasks (
  stage_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  state TEXT NOT NULL,
  item TEXT,
  attempt INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  losses INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER,
  agent_id INTEGER,
  session INTEGER,
  lease INTEGER,
  leased_at INTEGER,
  stop INTEGER,
  PRIMARY KEY (stage_id, ordinal),
  CHECK (state IN ('waiting','ready','leased','backoff','succeeded','abandoned','skipped','cancelled')),
  CHECK (state <> 'leased' OR (agent_id IS NOT NULL AND session IS NOT NULL AND lease IS NOT NULL AND leased_at IS NOT NULL)),
  CHECK ((state = 'backoff') = (not_before IS NOT NULL)),
  CHECK (stop IS NULL OR state = 'leased')
) WITHOUT ROWID;
CREATE INDEX tasks_ready ON tasks(stage_id, ordinal) WHERE state = 'ready';
CREATE INDEX tasks_leased ON tasks(agent_id) WHERE state = 'leased';
CREATE INDEX tasks_backoff ON tasks(not_before) WHERE state = 'backoff';
CREATE INDEX tasks_abandoned ON tasks(stage_id, ordinal) WHERE state = 'abandoned';

CREATE TABLE attempts (
  stage_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  agent_id INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('succeeded','failed','stopped','returned','lost')),
  error_type TEXT,
  message TEXT,
  exit_code INTEGER,
  signal TEXT,
  late INTEGER NOT NULL DEFAULT 0,
  claimed_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER NOT NULL,
  tail TEXT NOT NULL,
  PRIMARY KEY (stage_id, ordinal, attempt)
) WITHOUT ROWID;

CREATE TABLE agents (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  session INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  hostname TEXT NOT NULL,
  version TEXT NOT NULL,
  slots INTEGER NOT NULL,
  labels TEXT NOT NULL,
  storage TEXT NOT NULL,
  expires_at INTEGER,
  last_seen_at INTEGER NOT NULL
);
CREATE INDEX agents_expiry ON agents(expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE files (
  batch_seq INTEGER NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size INTEGER NOT NULL,
  mode INTEGER NOT NULL,
  stage_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  PRIMARY KEY (batch_seq, path)
) WITHOUT ROWID;

CREATE TABLE tokens (
  jti TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  scopes TEXT NOT NULL,
  agent TEXT,
  plans TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER
);
CREATE INDEX tokens_revoked ON tokens(jti) WHERE revoked_at IS NOT NULL;

CREATE TABLE brain (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  claim_no INTEGER NOT NULL,
  wake INTEGER NOT NULL,
  last_tick_at INTEGER NOT NULL,
  tick_until INTEGER NOT NULL,
  expire_not_before INTEGER NOT NULL
);
INSERT INTO brain VALUES (1, 0, 0, 0, 0, 0);

CREATE TRIGGER stages_wake_insert AFTER INSERT ON stages WHEN new.ready > 0 AND new.runnable = 1
  BEGIN UPDATE brain SET wake = wake + 1 WHERE id = 1; END;
CREATE TRIGGER stages_wake_update AFTER UPDATE OF ready, runnable ON stages
  WHEN new.ready > 0 AND new.runnable = 1 AND (new.ready > old.ready OR old.runnable = 0)
  BEGIN UPDATE brain SET wake = wake + 1 WHERE id = 1; END;
`;
