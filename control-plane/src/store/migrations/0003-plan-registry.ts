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
`;
