import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { runTick } from '../../../../control-plane/src/brain/tick.ts';
import { type Database, readRows } from '../../../../control-plane/src/store/database.ts';
import { openEmbeddedDatabase } from '../../../../control-plane/src/store/databases/embedded.node.ts';
import { MIGRATIONS, migrate } from '../../../../control-plane/src/store/migrate.ts';
import { claimTasks } from '../../../../control-plane/src/store/transitions/claim-tasks.ts';
import { deleteBatch } from '../../../../control-plane/src/store/transitions/delete-batch.ts';
import { finishAttempts } from '../../../../control-plane/src/store/transitions/finish-attempts.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { buildReport } from '../../../support/build-report.ts';
import { LEASE_MS, TICK_MS } from '../../../support/store-harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'planfleet-migrate-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/**
 * What version 1 left of a batch that runs: `scan` done, of its list of four two items made into tasks, the first of
 * them leased, the other given up, and below it one waiting and one skipped; `sum` waits for all. And a batch that ended.
 */
const LIVE = [
  `INSERT INTO agents VALUES (1, 'a', 1, 'boot', 1, 'host', '0.1', 4, '[]', 'here', 1000, 900)`,
  `INSERT INTO batches VALUES (1, '20260101_000000', 'active', 'p', 'd', NULL, NULL, '{}', 5, 's', 1, NULL)`,
  `INSERT INTO batches VALUES (2, '20260101_000001', 'succeeded', 'p', 'd', NULL, NULL, '{}', 5, 's', 1, 2)`,
  ...[
    `1, 1, 0, 'scan', NULL, 'cpu', '[]', 5, '{"command":"x","env":{},"timeout_ms":null,"produces":[]}', 3, 0, 0, NULL, 'here', 'done', 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0`,
    `2, 1, 1, 'cut', NULL, 'cpu', '[]', 5, '{"command":"x","env":{},"timeout_ms":null,"produces":[]}', 3, 1, 0, 1, 'here', 'open', 1, 0, 1, 0, 2, 0, 0, 1, 0, 0, 1, 0, 0`,
    `3, 1, 2, 'tag', NULL, 'cpu', '[]', 5, '{"command":"x","env":{},"timeout_ms":null,"produces":[]}', 3, 0, 0, 1, 'here', 'open', 1, 0, 1, 0, 2, 1, 0, 0, 0, 0, 0, 1, 0`,
    `4, 1, 3, 'sum', NULL, 'cpu', '[]', 5, '{"command":"x","env":{},"timeout_ms":null,"produces":[]}', 3, 0, 0, NULL, 'here', 'waiting', 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0`,
    `5, 2, 0, 'only', NULL, 'cpu', '[]', 5, '{}', 3, 0, 0, NULL, 'here', 'done', 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0`,
  ].map((row) => `INSERT INTO stages VALUES (${row})`),
  `INSERT INTO stage_edges VALUES (1, 2, 'all'), (2, 3, 'item'), (3, 4, 'all')`,
  `INSERT INTO list_chunks VALUES (1, 1, 2, 2, '', '["\\"y\\"","\\"z\\""]')`,
  ...[
    `1, 0, 'succeeded', NULL, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL`,
    `2, 0, 'leased', '"w"', 1, 0, 0, NULL, 1, 1, 2, 900, NULL`,
    `2, 1, 'abandoned', '"x"', 3, 3, 0, NULL, NULL, NULL, NULL, NULL, NULL`,
    `3, 0, 'waiting', NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL`,
    `3, 1, 'skipped', NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL`,
    `4, 0, 'ready', NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL`,
    `5, 0, 'succeeded', NULL, 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL`,
  ].map((row) => `INSERT INTO tasks VALUES (${row})`),
  `UPDATE brain SET claim_no = 2, last_tick_at = 900`,
];
/** Stages name their list, and a list its stages. */
const LIST = `INSERT INTO lists VALUES (1, 1, 1, 2, 'x.json', NULL, 1, 4, 2)`;

async function openVersionOne(): Promise<Database> {
  const db = openEmbeddedDatabase({ file: join(folder, 'planfleet.db'), synchronous: 'NORMAL' });
  const [first] = MIGRATIONS;
  const statements = (first?.sql ?? '').split(/;\s*\n/).filter((sql) => sql.trim() !== '');
  const [agents = '', live = '', ended = '', ...rest] = LIVE;
  const all = [
    'CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL)',
    `INSERT INTO schema_migrations VALUES (1, 'initial', 0)`,
    ...statements,
    ...[agents, live, ended, LIST],
    ...rest,
  ];
  await db.batch(
    all.map((sql) => ({ sql, params: {} })),
    'write',
  );
  return db;
}

test('a batch that ran when the database was migrated goes on, and can be retried and deleted', async () => {
  const db = await openVersionOne();
  expect(await migrate(db, 1_000)).toEqual(MIGRATIONS.slice(1).map(({ name }) => name));
  let now = 1_000;
  const settings = { lease_ms: LEASE_MS, tick_ms: TICK_MS };
  const rows = async <Row>(sql: string) => readRows<Row>((await db.batch([{ sql, params: {} }], 'read'))[0]);
  const tick = () => runTick({ db, clock: { now: () => now }, settings });
  await tick();
  expect(await rows('SELECT state FROM tasks WHERE stage_id = 2 ORDER BY ordinal')).toEqual(
    ['leased', 'abandoned', 'ready', 'ready'].map((state) => ({ state })),
  );
  // The agent is the one that ran before: it has never registered with this version.
  const running = [{ stage: 2, ordinal: 0, lease: 2 }];
  expect(
    await recordHeartbeat(db, { agent: 'a', request: { session: 1, running }, now, lease_ms: LEASE_MS }),
  ).toEqual({ ok: true, answer: { stops: [], gone: [] } });
  const state = async () =>
    (await rows<{ state: string }>("SELECT state FROM batches WHERE id = '20260101_000000'"))[0]?.state;
  const finish = (leases: readonly { stage: number; ordinal: number; lease: number; attempt: number }[]) =>
    finishAttempts(db, {
      ...{ agent: 'a', session: 1, now, lease_ms: LEASE_MS, random: () => 0.5, claim: null },
      reports: leases.map((lease) => buildReport(lease, 'succeeded', now)),
    });
  const work = async () => {
    for (;;) {
      const request = { session: 1, slots: 4, have: [] };
      const claimed = await claimTasks(db, {
        agent: 'a',
        request,
        now,
        lease_ms: LEASE_MS,
        tick_ms: TICK_MS,
      });
      if (!claimed.ok) throw new Error('The claim was refused.');
      if (claimed.answer.leases.length === 0) return;
      await finish(claimed.answer.leases);
      now += 1_000;
    }
  };
  expect(await finish([{ stage: 2, ordinal: 0, lease: 2, attempt: 1 }])).toMatchObject({
    answer: { results: ['accepted'] },
  });
  await work();
  expect(await state()).toBe('succeeded');
  const retried = await retryBatch(db, { batch_id: '20260101_000000', by: 'op', now });
  expect(retried).toMatchObject({ ok: true, state: 'active', tasks: 2 });
  await work();
  expect(await state()).toBe('succeeded');
  expect(await rows('SELECT DISTINCT state FROM tasks')).toEqual([{ state: 'succeeded' }]);
  for (const batch_id of ['20260101_000000', '20260101_000001'])
    expect(await deleteBatch(db, { batch_id, now })).toEqual({ ok: true });
  for (let n = 0; n < 3; n++) {
    now += 20_000;
    await tick();
  }
  for (const table of ['batches', 'stages', 'tasks', 'attempts', 'lists', 'list_chunks'])
    expect(await rows(`SELECT * FROM ${table}`), table).toEqual([]);
  await db.close();
});
