import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Libsql from 'libsql';
import { connect } from './client.mjs';

// What the same work costs without planfleet: nobody can be faster than these on this machine and at this time.

/**
 * The transactions alone: rows inserted 500 at a time, then 16 completed (with a row of history each) and 16 claimed
 * per transaction, by three statements prepared once. Power-safe, like the product. µs per task.
 */
export function measureSqlFloor({ tasks, slots }) {
  const folder = mkdtempSync(join(tmpdir(), 'planfleet-floor-'));
  const db = new Libsql(join(folder, 'floor.db'));
  try {
    db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
    db.exec(`CREATE TABLE tasks (stage INTEGER, ordinal INTEGER, state TEXT NOT NULL, lease INTEGER, item TEXT,
      PRIMARY KEY (stage, ordinal)) WITHOUT ROWID;
      CREATE INDEX ready ON tasks(stage, ordinal) WHERE state = 'ready';
      CREATE TABLE attempts (stage INTEGER, ordinal INTEGER, outcome TEXT, ended_at INTEGER, tail TEXT,
      PRIMARY KEY (stage, ordinal)) WITHOUT ROWID`);
    const insert = db.prepare(`INSERT INTO tasks SELECT 1, ? + key, 'ready', NULL, value FROM json_each(?)`);
    const record = db.prepare(`INSERT INTO attempts SELECT 1, value, 'succeeded', 0, '' FROM json_each(?)`);
    const finish = db.prepare(
      `UPDATE tasks SET state = 'succeeded', lease = NULL WHERE stage = 1 AND ordinal IN (SELECT value FROM json_each(?))`,
    );
    const claim = db.prepare(
      `UPDATE tasks SET state = 'leased', lease = ? WHERE stage = 1 AND ordinal IN
        (SELECT ordinal FROM tasks WHERE stage = 1 AND state = 'ready' ORDER BY ordinal LIMIT ${slots}) RETURNING ordinal`,
    );
    claim.raw(true);
    const items = JSON.stringify(Array.from({ length: 500 }, (_, index) => `file-${index}.pdf`));
    const started = performance.now();
    for (let first = 0; first < tasks; first += 500) transact(db, () => insert.run(first, items));
    let leased = [];
    for (let lease = 0; lease <= tasks / slots; lease++)
      transact(db, () => {
        const done = JSON.stringify(leased);
        record.run(done);
        finish.run(done);
        leased = claim.all(lease).map(([ordinal]) => ordinal);
      });
    return ((performance.now() - started) * 1_000) / tasks;
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function transact(db, work) {
  db.exec('BEGIN IMMEDIATE');
  work();
  db.exec('COMMIT');
}

/** A Hono server that parses a request of the same size and answers as much, in a process of its own. µs per task. */
export async function measureHttpFloor({ tasks, slots }) {
  const child = spawn(process.execPath, [new URL('hono-floor.mjs', import.meta.url).pathname], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    const url = await new Promise((resolve) =>
      createInterface({ input: child.stdout }).once('line', resolve),
    );
    const client = connect(url, 'none');
    const reports = Array.from({ length: slots }, (_, ordinal) => ({
      stage: 1,
      ordinal,
      lease: 1,
      attempt: 1,
      outcome: 'succeeded',
      error_type: null,
      message: null,
      exit_code: 0,
      signal: null,
      tail: '',
      started_at: Date.now(),
      ended_at: Date.now(),
      lists: [],
      files: [],
    }));
    const started = performance.now();
    for (let sent = 0; sent < tasks; sent += slots) await client.post('/results', { reports });
    const wall = performance.now() - started;
    client.close();
    return (wall * 1_000) / tasks;
  } finally {
    child.kill();
    await ended;
  }
}

/** `count` processes of bash, `concurrency` at a time, with nothing around them. Seconds. */
export async function measureSpawnFloor({ count, concurrency, command }) {
  const started = performance.now();
  let left = count;
  const runOne = () =>
    new Promise((resolve, reject) => {
      const child = spawn('bash', ['-c', command], { stdio: 'ignore' });
      child.once('error', reject);
      child.once('exit', resolve);
    });
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) await runOne();
    }),
  );
  return (performance.now() - started) / 1_000;
}
