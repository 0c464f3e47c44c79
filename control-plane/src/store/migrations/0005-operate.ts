/**
 * Decisions, and what operators do. `stages.retry`: ordinal from which a retry still has to re-open abandoned tasks.
 * Two decisions are written by triggers: a statement of their own in each report and each claim would cost more than
 * all other decisions together, and both happen rarely.
 */
export const OPERATE_SCHEMA = `
CREATE TABLE decisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  batch_seq INTEGER,
  stage_id INTEGER,
  ordinal INTEGER,
  attempt INTEGER,
  agent TEXT,
  count INTEGER NOT NULL DEFAULT 1,
  message TEXT NOT NULL,
  details TEXT
);
CREATE INDEX decisions_batch ON decisions(batch_seq, id) WHERE batch_seq IS NOT NULL;
CREATE INDEX decisions_type ON decisions(type, id);

ALTER TABLE brain ADD COLUMN decisions_logged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agents ADD COLUMN missing_at INTEGER;
ALTER TABLE agents ADD COLUMN draining_at INTEGER;
ALTER TABLE stages ADD COLUMN opened_at INTEGER;
ALTER TABLE stages ADD COLUMN retry INTEGER;
CREATE INDEX stages_retry ON stages(batch_seq) WHERE retry IS NOT NULL;

CREATE TRIGGER agents_back AFTER UPDATE OF missing_at ON agents WHEN old.missing_at IS NOT NULL AND new.missing_at IS NULL
  BEGIN INSERT INTO decisions (at, type, agent, message, details) VALUES (new.last_seen_at, 'AGENT_BACK', new.name,
    'Agent ' || new.name || ' is heard of again after ' || ((new.last_seen_at - old.last_seen_at) / 1000) || ' s.',
    json_object('silent_ms', new.last_seen_at - old.last_seen_at)); END;

CREATE TRIGGER attempts_late AFTER UPDATE OF late ON attempts WHEN old.late = 0 AND new.late = 1
  BEGIN INSERT INTO decisions (at, type, batch_seq, stage_id, ordinal, attempt, agent, message)
    SELECT a.last_seen_at, 'LATE_RESULT', s.batch_seq, s.id, new.ordinal, new.attempt, a.name, s.key || ':' || new.ordinal
      || ' succeeded on ' || a.name || ' after its lease had expired; nobody had taken it over, so the result counts.'
    FROM agents a, stages s WHERE a.id = new.agent_id AND s.id = new.stage_id; END;
`;
