import { bindStatement, type Database, readRows } from './database.ts';
import { INITIAL_SCHEMA } from './migrations/0001-initial.ts';
import { GROUPS_SCHEMA } from './migrations/0002-groups.ts';
import { PLAN_REGISTRY } from './migrations/0003-plan-registry.ts';
import { CHILDREN_SCHEMA } from './migrations/0004-children.ts';
import { OPERATE_SCHEMA } from './migrations/0005-operate.ts';
import { LOGS } from './migrations/0006-logs.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/**
 * In order, forward only; each must be safe while an older instance runs. They are text, not files: a Worker
 * has no file system to read them from.
 */
export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: 'initial', sql: INITIAL_SCHEMA },
  { version: 2, name: 'groups', sql: GROUPS_SCHEMA },
  { version: 3, name: 'plan registry', sql: PLAN_REGISTRY },
  { version: 4, name: 'children', sql: CHILDREN_SCHEMA },
  { version: 5, name: 'operate', sql: OPERATE_SCHEMA },
  { version: 6, name: 'logs', sql: LOGS },
];

const CREATE_TABLE =
  'CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)';

/**
 * Brings the database to the newest schema; returns the names of the migrations applied now. Each is one batch
 * that begins by writing its version, so that of two instances starting at once one applies it and the other
 * fails on that row, and finds it done when it looks again.
 */
export async function migrate(db: Database, now: number): Promise<string[]> {
  await db.batch([bindStatement(CREATE_TABLE, {})], 'write');
  const applied: string[] = [];
  for (const migration of MIGRATIONS) {
    if ((await appliedVersions(db)).has(migration.version)) continue;
    const claim = bindStatement('INSERT INTO schema_migrations VALUES (:version, :name, :now)', {
      version: migration.version,
      name: migration.name,
      now,
    });
    try {
      await db.batch([claim, ...splitStatements(migration.sql).map((sql) => ({ sql, params: {} }))], 'write');
    } catch (error) {
      if ((await appliedVersions(db)).has(migration.version)) continue;
      throw error;
    }
    applied.push(migration.name);
  }
  return applied;
}

async function appliedVersions(db: Database): Promise<Set<number>> {
  const [result] = await db.batch([{ sql: 'SELECT version FROM schema_migrations', params: {} }], 'read');
  return new Set(readRows<{ version: number }>(result).map((row) => Number(row.version)));
}

/** Our migrations hold no semicolon inside a statement, so that a line ending in one ends the statement. */
function splitStatements(sql: string): string[] {
  return sql
    .split(/;\s*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
