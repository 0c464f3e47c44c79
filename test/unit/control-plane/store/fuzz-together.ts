import type { LeasedTask, Report } from '@planfleet/shared-types';
import { expect } from 'vitest';
import type { BatchBlueprint } from '../../../../control-plane/src/blueprint.ts';
import { advanceChildren } from '../../../../control-plane/src/brain/advance-children.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { deleteBatch } from '../../../../control-plane/src/store/transitions/delete-batch.ts';
import { drainAgent, resumeAgent } from '../../../../control-plane/src/store/transitions/drain-agent.ts';
import { pauseBatch, resumeBatch } from '../../../../control-plane/src/store/transitions/pause-batch.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { retryTask } from '../../../../control-plane/src/store/transitions/retry-task.ts';
import { signalTask } from '../../../../control-plane/src/store/transitions/signal-task.ts';
import { storeChildPlans } from '../../../../control-plane/src/store/transitions/store-child-plans.ts';
import { storeListChunks } from '../../../../control-plane/src/store/transitions/store-list-chunks.ts';
import { storeLogChunks } from '../../../../control-plane/src/store/transitions/store-log-chunks.ts';
import { submitBatch } from '../../../../control-plane/src/store/transitions/submit-batch.ts';
import { batchBlueprint, childStage, stageBlueprint, submission } from '../../../support/blueprints.ts';
import { LEASE_MS, type StoreHarness } from '../../../support/store-harness.ts';
import { checkStore, readBatches } from './fuzz-together-check.ts';

const AGENTS = ['a', 'b', 'c'] as const;
const SLOTS = 6;
const STEPS = 160;
const DIGEST = '0'.repeat(64);

const CHILD = `# Plan: Child

## Tasks
### cut
- **task_class**: cpu
- **command**: \`echo {ITEM.id}\`
- **foreach**: [{"id": "p"}, {"id": "q"}, {"id": "r"}]
- **max_attempts**: 1
- **max_failures**: 40%

### join
- **task_class**: cpu
- **command**: \`echo join\`
- **foreach**: [{"id": "p"}, {"id": "q"}, {"id": "r"}]
- **batch_size**: 2
- **depends_on**: cut_{ITEM.id}
- **max_attempts**: 2
`;
const NESTED = `# Plan: Nested

## Tasks
### inner
- **type**: execute_plan
- **plan**: deep
- **max_attempts**: 2

### last
- **task_class**: cpu
- **command**: \`echo last\`
- **depends_on**: inner
- **max_attempts**: 1
`;

interface Held extends LeasedTask {
  readonly key: string;
}

/** Groups, child batches, operators, lost agents and logs at once, on several batches, until all of it is repaired and deleted. */
export class TogetherFuzz {
  readonly happened = new Set<string>();
  readonly #held = new Map<string, Held[]>(AGENTS.map((name) => [name, []]));
  readonly #old = new Map<string, Held[]>(AGENTS.map((name) => [name, []]));
  readonly #succeeded = new Map<string, number>();

  constructor(
    readonly store: StoreHarness,
    readonly random: (below: number) => number,
  ) {}

  async run(): Promise<void> {
    const folders = new Map([
      ['child', CHILD],
      ['nested', NESTED],
      ['nested/deep', CHILD],
    ]);
    await storeChildPlans(this.store.db, { plan_digest: DIGEST, folders });
    for (const name of AGENTS) await this.store.register(name, { slots: SLOTS });
    await this.submit();
    for (let step = 0; step < STEPS; step++) {
      this.store.now += 1 + this.random(4_000);
      if (this.random(3) > 0) await this.tick();
      const operation = this.random(26);
      await this.step(operation, AGENTS[this.random(AGENTS.length)] ?? 'a').catch((error: unknown) => {
        throw new Error(`step ${step}, operation ${operation}: ${String(error)}`, { cause: error });
      });
      await this.check(`step ${step}, operation ${operation}`);
    }
    await this.repair();
    await this.remove();
  }

  seen(event: string, did = true): void {
    if (did) this.happened.add(event);
  }

  async submit(): Promise<void> {
    const key = this.random(3) === 0 ? `key ${this.random(3)}` : null;
    const { first } = await submitBatch(this.store.db, {
      ...submission(this.blueprint(), { now: this.store.now }),
      idempotency: key === null ? null : { key, digest: 'd', answer: {} },
    });
    this.seen('submitted twice', first !== null);
  }

  blueprint(): BatchBlueprint {
    const { random } = this;
    const some = () => ({
      max_attempts: 1 + random(2),
      max_failures: random(2),
      max_failures_percent: random(3) === 0 ? 30 : 0,
    });
    const plan = random(4) === 0 ? '{PLAN_PATH}/nested' : '{PLAN_PATH}/child';
    const stages = [
      stageBlueprint('scan', { max_attempts: 2 }),
      stageBlueprint('cut', { ...some(), group_size: 1 + random(3) }),
      childStage('sub', {}, { ...some(), plan }),
      stageBlueprint('tag', { ...some(), group_size: 1 + random(4) }),
      childStage('sum', {}, { max_attempts: 1 }),
      stageBlueprint('end', { max_attempts: 1 }),
    ];
    return batchBlueprint(
      stages,
      [
        ['scan', 'cut', 'all'],
        ['cut', 'sub', 'item'],
        ['cut', 'tag', 'item'],
        ['sub', 'tag', 'item'],
        ['tag', 'sum', 'all'],
        ['sum', 'end', 'all'],
      ],
      [{ stages: [1, 2, 3], source: { kind: 'file', producer: 0, path: 'x', jsonpath: null } }],
    );
  }

  /** Now and then one that comes to everything but the lists, so that much happens while they are half made. */
  async tick(): Promise<void> {
    const hides = this.random(2) === 0;
    const flip = [{ sql: 'UPDATE list_chunks SET lease = -lease - 1', params: {} }];
    if (hides) await this.store.db.batch(flip, 'write');
    await this.store.tick();
    if (hides) await this.store.db.batch(flip, 'write');
  }

  async step(operation: number, agent: string): Promise<void> {
    const { store, random } = this;
    if (operation <= 2) await this.claim(agent);
    else if (operation <= 12) {
      await this.claim(agent);
      await this.finish(agent, () => random(4) > 0);
    } else if (operation === 13) await this.resumeAll();
    else if (operation === 14) await this.beat(agent);
    else if (operation === 15) {
      if (random(3) > 0) return;
      for (let n = 0; n < 9; n++) {
        store.now += 5_000;
        await this.tick();
        for (const other of AGENTS) if (other !== agent) await this.beat(other);
      }
      this.seen('silent');
    } else if (operation === 16) await this.restart(agent);
    else if (operation === 17) await this.sendLogs(agent);
    else if (operation === 18) {
      const drains = random(3) === 0;
      await (drains ? drainAgent : resumeAgent)(store.db, { agent, by: 'op', now: store.now });
      this.seen('drained', drains);
    } else if (operation === 19) await this.signal(agent);
    else if (operation === 20 && random(4) === 0) await this.submit();
    else if (operation === 21) {
      const deps = { db: store.db, clock: { now: () => store.now } };
      let left = random(4);
      await Promise.all([advanceChildren(deps, () => left-- > 0), advanceChildren(deps, () => left-- > 0)]);
    } else await this.operate();
  }

  async operate(): Promise<void> {
    const { store, random } = this;
    const batches = await readBatches(store);
    const batch = batches[random(batches.length)];
    if (batch === undefined) return;
    const asked = { batch_id: batch.id, by: 'op', now: store.now };
    const level = batch.depth > 0 ? ' child' : '';
    const action = random(12);
    if (action <= 1) this.seen(`paused${level}`, (await pauseBatch(store.db, asked)).ok);
    else if (action <= 2) await resumeBatch(store.db, asked);
    else if (action <= 6) {
      const result = await retryBatch(store.db, asked);
      this.seen(`retried${level}`, result.ok && batch.state !== 'failed');
      this.seen(`retried failed${level}`, result.ok && batch.state === 'failed');
    } else if (action <= 9) await this.retryOne(batch.id);
    else if (action === 10)
      this.seen(`cancelled${level}`, random(4) === 0 && (await cancelBatch(store.db, asked)).ok);
    else if (action === 11)
      this.seen(`deleted${level}`, random(2) === 0 && (await deleteBatch(store.db, asked)).ok);
  }

  async resumeAll(): Promise<void> {
    const { store } = this;
    for (const { id } of await readBatches(store))
      if (this.random(2) === 0) await resumeBatch(store.db, { batch_id: id, by: 'op', now: store.now });
  }

  async retryOne(batch_id: string): Promise<void> {
    const rows = await this.store.rows<{ key: string; ordinal: number }>(
      `SELECT s.key, t.ordinal FROM batches b JOIN stages s ON s.batch_seq = b.seq JOIN tasks t ON t.stage_id = s.id
        WHERE b.id = :batch_id AND t.state IN ('abandoned', 'backoff') ORDER BY s.id, t.ordinal`,
      { batch_id },
    );
    const row = rows[this.random(rows.length)];
    if (row === undefined) return;
    const address = { batch_id, stage_key: row.key, ordinal: row.ordinal };
    this.seen(
      'one retried',
      (await retryTask(this.store.db, { ...address, by: 'op', now: this.store.now })).ok,
    );
  }

  async claim(agent: string): Promise<void> {
    await this.beat(agent);
    const held = this.#held.get(agent) ?? [];
    const answer = await this.store.claim(agent, SLOTS, held);
    const keys = this.store.keys(answer);
    held.push(...answer.leases.map((lease, n) => ({ ...lease, key: keys[n] ?? '' })));
  }

  async beat(agent: string): Promise<void> {
    const held = this.#held.get(agent) ?? [];
    const running = held.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease }));
    const request = { session: this.store.sessions.get(agent) ?? 0, running };
    const { now } = this.store;
    const answer = await recordHeartbeat(this.store.db, { agent, request, now, lease_ms: LEASE_MS });
    if (!answer.ok) throw new Error('heartbeat refused');
    const gone = new Set(answer.answer.gone.map(keyOf));
    this.seen('gone', gone.size > 0);
    this.#old.get(agent)?.push(...held.filter((lease) => gone.has(keyOf(lease))));
    this.#held.set(
      agent,
      held.filter((lease) => !gone.has(keyOf(lease))),
    );
  }

  async restart(agent: string): Promise<void> {
    if (this.random(3) > 0) return;
    const held = this.#held.get(agent) ?? [];
    const have = held.filter(() => this.random(2) === 0);
    await this.store.register(agent, { slots: SLOTS, have });
    this.#old.get(agent)?.push(...held.filter((lease) => !have.includes(lease)));
    this.#held.set(agent, have);
    this.seen('restarted');
  }

  async finish(agent: string, succeeds: () => boolean): Promise<void> {
    const held = this.#held.get(agent) ?? [];
    const old = this.#old.get(agent) ?? [];
    const leases = held.splice(0, 1 + this.random(SLOTS));
    const late = old[this.random(old.length + 3)];
    if (
      late !== undefined &&
      !leases.some((lease) => lease.stage === late.stage && lease.ordinal === late.ordinal)
    )
      leases.push(late);
    const reports: Report[] = [];
    for (const lease of leases) reports.push(await this.report(agent, lease, succeeds()));
    if (reports.length === 0) return;
    const { results } = await this.store.finish(agent, reports);
    this.seen('late report refused', late !== undefined && results.at(-1) === 'lease_lost');
    old.push(...leases);
    // The same again, as after a lost answer.
    if (this.random(4) === 0) await this.store.finish(agent, reports);
  }

  async report(agent: string, lease: Held, succeeds: boolean): Promise<Report> {
    const stopped = await this.store.rows<{ stop: number }>(
      'SELECT stop FROM tasks WHERE stage_id = :stage AND ordinal = :ordinal AND stop IS NOT NULL',
      { stage: lease.stage, ordinal: lease.ordinal },
    );
    const outcome = stopped.length > 0 ? 'stopped' : succeeds ? 'succeeded' : 'failed';
    const log = {
      ...{ name: `${lease.key}_${lease.ordinal}`, size: 3, head: 3, tail: 0, stored: 3 },
      ...{ sha256: 'f'.repeat(64), kept: 'blob' as const },
    };
    const lists = lease.key === 'scan' && outcome === 'succeeded' ? [await this.sendItems(agent, lease)] : [];
    const files = [{ path: `out/${lease.key}_${lease.ordinal}`, sha256: 'x', size: 1, mode: 0o644 }];
    return this.store.report(lease, outcome, { log, lists, files: outcome === 'succeeded' ? files : [] });
  }

  async sendItems(agent: string, lease: Held): Promise<Report['lists'][number]> {
    const [list] = await this.store.rows<{ id: number }>(
      'SELECT id FROM lists WHERE producer_stage = :stage',
      {
        stage: lease.stage,
      },
    );
    const count = this.random(11);
    const chunks: { offset: number; sha256: string; items: unknown[] }[] = [];
    for (let offset = 0; offset < count; offset += 3) {
      const items = Array.from({ length: Math.min(3, count - offset) }, (_, n) => ({ id: `i${offset + n}` }));
      chunks.push({ offset, sha256: `${offset}`.padStart(64, '0'), items });
    }
    const session = this.store.sessions.get(agent) ?? 0;
    const request = { session, list: list?.id ?? 0, lease: lease.lease, chunks };
    await storeListChunks(this.store.db, { agent, request });
    return { list: list?.id ?? 0, count, chunks: chunks.map((chunk) => chunk.sha256) };
  }

  async sendLogs(agent: string): Promise<void> {
    const of = [...(this.#held.get(agent) ?? []), ...(this.#old.get(agent) ?? [])];
    const lease = of[this.random(of.length)];
    if (lease === undefined) return;
    const { stage, ordinal, attempt, lease: number } = lease;
    const text = { offset: 0, size: 3, encoding: 'identity' as const, data: 'YWJj' };
    const progress = { progress: 0.5, progress_text: 'half' };
    const chunk = { stage, ordinal, attempt, lease: number, ...text, ...progress };
    const session = this.store.sessions.get(agent) ?? 0;
    const result = await storeLogChunks(this.store.db, {
      agent,
      session,
      chunks: [chunk],
      now: this.store.now,
    });
    this.seen('log chunk refused', result.ok && result.refused.length > 0);
  }

  async signal(agent: string): Promise<void> {
    const rows = await this.store.rows<{ id: string; key: string; ordinal: number }>(
      `SELECT b.id, s.key, t.ordinal FROM agents a JOIN tasks t ON t.agent_id = a.id AND t.state = 'leased'
        JOIN stages s ON s.id = t.stage_id JOIN batches b ON b.seq = s.batch_seq
        WHERE a.name IN (:agent, '(brain)') ORDER BY s.id, t.ordinal`,
      { agent },
    );
    const row = rows[this.random(rows.length)];
    if (row === undefined) return;
    const kind = this.random(2) === 0 ? 'abort' : 'kill';
    const task = { batch_id: row.id, stage_key: row.key, ordinal: row.ordinal };
    await signalTask(this.store.db, { ...task, kind, by: 'op', now: this.store.now });
    this.seen(row.key === 'sub' || row.key === 'sum' ? 'child task aborted' : 'aborted');
  }

  async check(when: string): Promise<void> {
    await checkStore(this.store, this.#succeeded).catch((error: unknown) => {
      throw new Error(`${when}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    });
  }

  /** Everybody works, everything is retried: all that was not cancelled succeeds. */
  async repair(): Promise<void> {
    for (const agent of AGENTS) await resumeAgent(this.store.db, { agent, by: 'op', now: this.store.now });
    for (let round = 0; round < 300; round++) {
      const batches = await readBatches(this.store);
      // Two ends of a batch in one millisecond are told once.
      this.store.now += 1;
      const left = batches.filter(({ state }) => state !== 'succeeded' && state !== 'cancelled');
      if (left.length === 0) return;
      for (const { id } of left) {
        const asked = { batch_id: id, by: 'op', now: this.store.now };
        await resumeBatch(this.store.db, asked);
        await retryBatch(this.store.db, asked);
      }
      for (const agent of AGENTS) {
        this.store.now += 1;
        await this.claim(agent);
        await this.finish(agent, () => true);
      }
      this.store.now += 5_000;
      await this.store.tick();
      await this.check(`repair ${round}`);
    }
    expect(await readBatches(this.store)).toBe('all ended');
  }

  /** Everything is deleted while agents still report: nothing may be left. */
  async remove(): Promise<void> {
    for (const { id } of await readBatches(this.store))
      expect(await deleteBatch(this.store.db, { batch_id: id, now: this.store.now }), id).toEqual({
        ok: true,
      });
    for (let round = 0; round < 12; round++) {
      this.store.now += 5_000;
      await this.store.tick();
      for (const agent of AGENTS) await this.finish(agent, () => true);
      await this.sendLogs('a');
    }
    const tables = ['batches', 'stages', 'stage_edges', 'tasks', 'attempts', 'files', 'lists', 'list_chunks'];
    const more = ['list_items', 'list_repeats', 'child_ends', 'log_chunks', 'live_logs', 'attempt_logs'];
    for (const table of [...tables, ...more])
      expect(await this.store.rows(`SELECT * FROM ${table}`), `${table} after all was deleted`).toEqual([]);
    expect(await this.store.rows('SELECT * FROM decisions WHERE batch_seq IS NOT NULL')).toEqual([]);
  }
}

function keyOf(lease: { stage: number; ordinal: number; lease: number }): string {
  return `${lease.stage}:${lease.ordinal}:${lease.lease}`;
}
