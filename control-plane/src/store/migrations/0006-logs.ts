/** Output of running attempts, and of ended ones as files of their batch. Why so: control-plane/docs/logs.md. */
export const LOGS = `
CREATE TABLE log_chunks (
  stage_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  first INTEGER NOT NULL,
  size INTEGER NOT NULL CHECK (size > 0),
  data TEXT NOT NULL,
  PRIMARY KEY (stage_id, ordinal, attempt, first)
);

CREATE TABLE live_logs (
  stage_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  progress REAL,
  progress_text TEXT,
  followed_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (stage_id, ordinal, attempt)
) WITHOUT ROWID;

CREATE TABLE attempt_logs (
  batch_seq INTEGER NOT NULL,
  path TEXT NOT NULL,
  stage_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  size INTEGER NOT NULL,
  head INTEGER NOT NULL,
  tail INTEGER NOT NULL,
  stored INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  kept TEXT NOT NULL CHECK (kept IN ('tail','blob','machine')),
  PRIMARY KEY (batch_seq, path),
  UNIQUE (stage_id, ordinal, attempt)
) WITHOUT ROWID;
`;
