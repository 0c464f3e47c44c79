import { bindStatement, type Database } from '../database.ts';
import { wakeForSignal } from '../statements/wake.ts';

const READ = 'SELECT 1 AS found FROM agents WHERE name = :agent';

const TELL_DRAIN = `INSERT INTO decisions (at, type, agent, message, details)
SELECT :now, 'DRAINED', name, :by || ' drains agent ' || name || ': what it runs ends normally, and it gets nothing new.', json_object('by', :by)
  FROM agents WHERE name = :agent AND draining_at IS NULL`;
const DRAIN = 'UPDATE agents SET draining_at = :now WHERE name = :agent AND draining_at IS NULL';

const TELL_RESUME = `INSERT INTO decisions (at, type, agent, message, details)
SELECT :now, 'RESUMED', name, :by || ' resumes agent ' || name || '.', json_object('by', :by)
  FROM agents WHERE name = :agent AND draining_at IS NOT NULL`;
const RESUME = 'UPDATE agents SET draining_at = NULL WHERE name = :agent AND draining_at IS NOT NULL';

interface Asked {
  readonly agent: string;
  readonly by: string;
  readonly now: number;
}

/** DRAIN: an agent takes nothing new until it is resumed, also when it is started anew. False: there is none. */
export function drainAgent(db: Database, asked: Asked): Promise<boolean> {
  return setDraining(db, asked, [TELL_DRAIN, DRAIN]);
}

/** Takes the drain back; its waiting claim is looked at at once. */
export function resumeAgent(db: Database, asked: Asked): Promise<boolean> {
  return setDraining(db, asked, [TELL_RESUME, RESUME]);
}

async function setDraining(db: Database, asked: Asked, texts: readonly string[]): Promise<boolean> {
  const params = { ...asked };
  const statements = [READ, ...texts].map((sql) => bindStatement(sql, params));
  const [found] = await db.batch([...statements, wakeForSignal()], 'write');
  return found?.rows.length === 1;
}
