/**
 * Registered plans, repeatable submissions, deleted batches. In `plans` the long columns stand last, so that a list
 * of plans does not read through them; both are JSON.
 */
export const PLAN_REGISTRY = `
CREATE TABLE plans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  digest TEXT NOT NULL,
  bundle TEXT,
  registered_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  files TEXT,
  markdown TEXT NOT NULL,
  UNIQUE (name, version),
  UNIQUE (name, digest)
);

ALTER TABLE batches ADD COLUMN idempotency_key TEXT;
ALTER TABLE batches ADD COLUMN request_digest TEXT;
ALTER TABLE batches ADD COLUMN answer TEXT;
ALTER TABLE batches ADD COLUMN deleted_at INTEGER;
CREATE UNIQUE INDEX batches_idempotency ON batches(submitted_by, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX batches_deleted ON batches(seq) WHERE deleted_at IS NOT NULL;
`;
