import { readdirSync, readFileSync } from 'node:fs';
import type { Report } from '@planfleet/shared-types';
import Libsql from 'libsql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTick } from '../../../../control-plane/src/brain/tick.ts';
import { findUnsettled } from '../../../../control-plane/src/store/queries/find-pending.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { claimTasks } from '../../../../control-plane/src/store/transitions/claim-tasks.ts';
import { deleteBatch } from '../../../../control-plane/src/store/transitions/delete-batch.ts';
import { expireLeases } from '../../../../control-plane/src/store/transitions/expire-leases.ts';
import { finishAttempts } from '../../../../control-plane/src/store/transitions/finish-attempts.ts';
import { noteLogArrivals } from '../../../../control-plane/src/store/transitions/note-log-arrivals.ts';
import { noteLogFollower } from '../../../../control-plane/src/store/transitions/note-log-follower.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { registerAgent } from '../../../../control-plane/src/store/transitions/register-agent.ts';
import { skipAbandoned } from '../../../../control-plane/src/store/transitions/skip-abandoned.ts';
import { storeListChunks } from '../../../../control-plane/src/store/transitions/store-list-chunks.ts';
import { storeLogChunks } from '../../../../control-plane/src/store/transitions/store-log-chunks.ts';
import { submitBatch } from '../../../../control-plane/src/store/transitions/submit-batch.ts';
import { batchBlueprint, stageBlueprint, submission } from '../../../support/blueprints.ts';
import { runChildren } from '../../../support/run-children.ts';
import { runOperations } from '../../../support/run-operations.ts';
import { runQueries } from '../../../support/run-queries.ts';
import { openTempDatabase, type TempDatabase } from '../../../support/temp-database.ts';

/**
 * Tables that may be read from end to end: one row, or a row per machine. Everything else is searched by an index;
 * a scan of stages or tasks is what makes a claim slow at 300,000 tasks.
 */
const SMALL = new Set(['brain', 'agents', 'a']);

let db: TempDatabase;
const now = 1_800_000_000_000;
const settings = { lease_ms: 35_000, tick_ms: 5_000 };

/** Calls every transition of the store once, in any state of things: what counts is the text of the statements. */
beforeAll(async () => {
  db = await openTempDatabase();
  const blueprint = batchBlueprint(
    [stageBlueprint('scan'), stageBlueprint('cut', { max_attempts: 1 }), stageBlueprint('tag')],
    [
      ['scan', 'cut', 'all'],
      ['cut', 'tag', 'item'],
    ],
    [
      { stages: [1, 2], source: { kind: 'file', producer: 0, path: 'x', jsonpath: null } },
      { stages: [0], source: { kind: 'inline', items: [] } },
    ],
  );
  const { batch_id } = await submitBatch(db, submission(blueprint, { now }));
  const agent = 'a';
  const request = {
    protocol: 1,
    name: agent,
    boot_id: 'boot-0001',
    started_at: 1,
    hostname: 'h',
    version: '0',
    slots: 2,
    labels: [],
    storage: 's',
    have: [],
  };
  await registerAgent(db, { request, now, lease_ms: settings.lease_ms });
  const claim = { session: 1, slots: 2, have: [] };
  await claimTasks(db, { agent, request: claim, now, ...settings });
  await storeListChunks(db, {
    agent,
    request: { session: 1, list: 1, lease: 1, chunks: [{ offset: 0, sha256: 'x', items: [1] }] },
  });
  await recordHeartbeat(db, {
    agent,
    request: { session: 1, running: [] },
    now,
    lease_ms: settings.lease_ms,
  });
  const report: Report = {
    stage: 1,
    ordinal: 0,
    lease: 1,
    attempt: 1,
    outcome: 'failed',
    error_type: null,
    message: null,
    exit_code: 1,
    signal: null,
    tail: '',
    started_at: now,
    ended_at: now,
    lists: [{ list: 1, count: 1, chunks: [] }],
    files: [{ path: 'x', sha256: 'x', size: 1, mode: 0o644 }],
    log: { name: 'scan', size: 1, head: 1, tail: 0, stored: 1, sha256: 'x', kept: 'tail' },
  };
  await runLogs(agent);
  await finishAttempts(db, {
    agent,
    session: 1,
    reports: [report],
    claim,
    now,
    ...settings,
    random: () => 0,
  });
  await expireLeases(db, { now, tick_ms: settings.tick_ms });
  await skipAbandoned(db, { now });
  await findUnsettled(db);
  await runQueries(db, batch_id);
  await runChildren(db, now);
  await runOperations(db, { batch_id, agent, now });
  await cancelBatch(db, { batch_id, now });
  await runTick({ db, clock: { now: () => now }, settings });
  const short = await submitBatch(db, submission(batchBlueprint([stageBlueprint('short')]), { now }));
  await cancelBatch(db, { batch_id: short.batch_id, now });
  await deleteBatch(db, { batch_id: short.batch_id, now });
  await runTick({ db, clock: { now: () => now + 20_000 }, settings });
});
afterAll(() => db.close());

async function runLogs(agent: string): Promise<void> {
  const task = { stage: 1, ordinal: 0, attempt: 1 };
  const chunk = { ...task, lease: 1, offset: 0, size: 1, data: 'eA==', encoding: 'identity' } as const;
  const chunks = [{ ...chunk, progress: null, progress_text: null }];
  await storeLogChunks(db, { agent, session: 1, chunks, now });
  await noteLogFollower(db, { ...task, now });
  await noteLogArrivals(db, { agent, arrived: [{ ...task, sha256: 'x' }] });
  // Of an attempt that is over, so that the tick drops it.
  const sql = 'INSERT INTO live_logs (stage_id, ordinal, attempt, lease) VALUES (999, 0, 1, 1)';
  await db.batch([{ sql, params: {} }], 'write');
}

test('every statement of the store has been run', () => {
  const folder = new URL('../../../../control-plane/src/store/', import.meta.url);
  const files = ['statements', 'transitions', 'queries'].flatMap((part) =>
    readdirSync(new URL(part, folder)).map((file) =>
      readFileSync(new URL(`${part}/${file}`, folder), 'utf8'),
    ),
  );
  // A statement kept as a constant begins with its verb; fragments of statements do not.
  const heads = files
    .flatMap((text) => [
      ...text.matchAll(/^const [A-Z_]+ =\s+[`'"]((?:WITH|UPDATE|INSERT|DELETE|SELECT)[^`'"$]*)/gm),
    ])
    .map((match) => (match[1] ?? '').trim().slice(0, 60));
  expect(heads.length).toBeGreaterThan(30);
  const ran = [...db.texts].join('\n');
  expect(heads.filter((head) => !ran.includes(head))).toEqual([]);
});

test('no statement reads stages, tasks, lists or attempts from end to end', () => {
  const scans: string[] = [];
  const connection = new Libsql(db.file);
  for (const sql of db.texts) {
    if (!/^(WITH|UPDATE|INSERT|DELETE|SELECT)/.test(sql)) continue;
    const plan = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(paramsOf(sql)) as { detail: string }[];
    for (const { detail } of plan) {
      const table = /^SCAN (\S+)(?! CONSTANT)/.exec(detail)?.[1];
      if (table === undefined || SMALL.has(table)) continue;
      // Scans of partial indexes touch only the rows in that hot state; json_each and CTEs are the request's own rows.
      if (
        /VIRTUAL TABLE|USING (COVERING )?INDEX (stages_ended|lists_expanding|stages_retry|tasks_abandoned|tasks_backoff|batches_live|agents_expiry|stages_lane|tokens_revoked|batches_deleted|tasks_stopped_below)/.test(
          detail,
        )
      )
        continue;
      if (!isRealTable(table, sql)) continue;
      scans.push(`${detail}  <-  ${sql.slice(0, 160)}`);
    }
  }
  connection.close();
  expect(scans).toEqual([]);
});

test('no change of tasks looks through all rows of a stage', () => {
  const connection = new Libsql(db.file);
  const wide: string[] = [];
  for (const sql of db.texts) {
    if (!/UPDATE tasks/.test(sql)) continue;
    const plan = connection.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(paramsOf(sql)) as {
      detail: string;
    }[];
    for (const { detail } of plan)
      if (/^SEARCH .*PRIMARY KEY \(stage_id=\?\)$/.test(detail))
        wide.push(`${detail}  <-  ${sql.slice(0, 160)}`);
  }
  connection.close();
  expect(wide).toEqual([]);
});

/** Something for each parameter of a statement: what it is does not change the plan. */
function paramsOf(sql: string): Record<string, string | number> {
  const names = [
    ...new Set([...sql.matchAll(/(?<![:\w]):([a-z_][a-z0-9_]*)/g)].map((match) => match[1] ?? '')),
  ];
  return Object.fromEntries(
    names.map((name) => [
      name,
      /^(reports|details|files|logs|arrived|have|stages|lists|running|chunks|edges|links|wanted|plans)$/.test(
        name,
      )
        ? '[]'
        : 1,
    ]),
  );
}

/** CTEs are scanned under their own names; a table under its name or the alias that the text gives it. */
function isRealTable(name: string, sql: string): boolean {
  const tables =
    'log_chunks|attempt_logs|batches|lists|list_chunks|list_items|list_repeats|stages|stage_edges|tasks|attempts|files|tokens|plans|child_plans|decisions';
  if (new RegExp(`^(${tables})$`).test(name)) return true;
  return new RegExp(`\\b(${tables}) (AS )?${name}\\b`).test(sql);
}
