/**
 * Batches that a task of another batch started (execute_plan). The brain holds such a task as the agent of id 0: no
 * agent can register under its name, and it never expires. Which ends a parent has not been told yet stands in
 * `child_ends`, whichever statement ended the child. Why it has this shape: control-plane/docs/children.md.
 */
export const CHILDREN_SCHEMA = `
ALTER TABLE batches ADD COLUMN plan_folder TEXT NOT NULL DEFAULT '';
ALTER TABLE batches ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN parent_stage INTEGER;
ALTER TABLE batches ADD COLUMN parent_ordinal INTEGER;
ALTER TABLE batches ADD COLUMN parent_attempt INTEGER;
ALTER TABLE batches ADD COLUMN parent_paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN home INTEGER;
CREATE UNIQUE INDEX batches_parent ON batches(parent_stage, parent_ordinal, parent_attempt) WHERE parent_stage IS NOT NULL;
CREATE INDEX batches_live_children ON batches(parent_stage) WHERE parent_stage IS NOT NULL AND state IN ('active','paused','cancelling');
CREATE INDEX tasks_stopped_below ON tasks(stage_id, ordinal) WHERE agent_id = 0 AND stop IS NOT NULL;
CREATE INDEX batches_home ON batches(home) WHERE home IS NOT NULL;

CREATE TABLE child_ends (
  stage_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  child_id TEXT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (stage_id, ordinal, attempt)
) WITHOUT ROWID;
CREATE TRIGGER batches_child_ended AFTER UPDATE OF finished_at ON batches
  WHEN new.parent_stage IS NOT NULL AND new.finished_at IS NOT NULL AND old.finished_at IS NULL
  BEGIN INSERT OR REPLACE INTO child_ends VALUES (new.parent_stage, new.parent_ordinal, new.parent_attempt, new.id, new.state); END;
CREATE TRIGGER batches_child_deleted AFTER DELETE ON batches
  WHEN old.parent_stage IS NOT NULL AND old.finished_at IS NULL
  BEGIN INSERT OR REPLACE INTO child_ends VALUES (old.parent_stage, old.parent_ordinal, old.parent_attempt, old.id, 'deleted'); END;

CREATE TABLE child_plans (
  plan_digest TEXT NOT NULL,
  folder TEXT NOT NULL,
  markdown TEXT NOT NULL,
  PRIMARY KEY (plan_digest, folder)
);

INSERT INTO agents (id, name, session, boot_id, started_at, hostname, version, slots, labels, storage, expires_at, last_seen_at)
  VALUES (0, '(brain)', 0, '', 0, '', '', 0, '[]', '', NULL, 0);
`;
