import type { LeasedTask } from '@planfleet/shared-types';
import { expect } from 'vitest';
import { drainAgent, resumeAgent } from '../../../../control-plane/src/store/transitions/drain-agent.ts';
import { pauseBatch, resumeBatch } from '../../../../control-plane/src/store/transitions/pause-batch.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { retryBatch } from '../../../../control-plane/src/store/transitions/retry-batch.ts';
import { retryTask } from '../../../../control-plane/src/store/transitions/retry-task.ts';
import { signalTask } from '../../../../control-plane/src/store/transitions/signal-task.ts';
import { batchBlueprint, inlineItems, stageBlueprint } from '../../../support/blueprints.ts';
import { LEASE_MS, type StoreHarness } from '../../../support/store-harness.ts';

const AGENTS = ['a', 'b'] as const;
const SLOTS = 4;
const STEPS = 120;
const LIVE = new Set(['waiting', 'ready', 'leased', 'backoff']);

interface Row {
  readonly key: string;
  readonly ordinal: number;
  readonly state: string;
  readonly attempt: number;
  readonly group_size: number;
}

/** Random work and random operators on one batch, until operators repair everything and it succeeds. */
export class OperateFuzz {
  readonly happened = new Set<string>();
  readonly #held = new Map<string, LeasedTask[]>(AGENTS.map((name) => [name, []]));
  readonly #draining = new Set<string>();
  readonly #succeeded = new Map<string, number>();
  readonly #aborted = new Set<string>();
  #paused = false;
  #id = '';

  constructor(
    readonly store: StoreHarness,
    readonly random: (below: number) => number,
  ) {}

  async run(): Promise<void> {
    await this.start();
    for (let step = 0; step < STEPS; step++) {
      this.store.now += 1 + this.random(3_000);
      await this.store.tick();
      await this.step(this.random(18), AGENTS[this.random(AGENTS.length)] ?? 'a');
      await this.check();
    }
    await this.repair();
  }

  async start(): Promise<void> {
    const once = () => ({ max_attempts: 1 + this.random(2), max_failures: this.random(3) });
    const stages = [
      stageBlueprint('scan', { ...once(), max_failures: 0 }),
      stageBlueprint('cut', { ...once(), group_size: 1 + this.random(2) }),
      stageBlueprint('tag', { ...once(), group_size: 1 + this.random(3) }),
      stageBlueprint('score', once()),
      stageBlueprint('join', { ...once(), group_size: 1 + this.random(4) }),
      stageBlueprint('sum', { ...once(), max_failures: 0 }),
    ];
    this.#id = await this.store.submit(
      batchBlueprint(
        stages,
        [
          ['scan', 'cut', 'all'],
          ['cut', 'tag', 'item'],
          ['cut', 'score', 'item'],
          ['tag', 'join', 'item'],
          ['score', 'join', 'item'],
          ['join', 'sum', 'all'],
        ],
        [{ stages: [1, 2, 3, 4], source: inlineItems(1 + this.random(12)) }],
      ),
    );
    for (const name of AGENTS) await this.store.register(name, { slots: SLOTS });
  }

  async step(operation: number, agent: string): Promise<void> {
    const { store } = this;
    const asked = { batch_id: this.#id, by: 'op', now: store.now };
    if (operation <= 4) await this.claim(agent);
    else if (operation <= 9) await this.finish(agent, () => this.random(5) > 1);
    else if (operation === 10) {
      const result = await pauseBatch(store.db, asked);
      if (result.ok) this.#paused = true;
      this.note('paused', result.ok);
    } else if (operation <= 12) await this.resume();
    else if (operation === 13 && this.random(4) === 0) {
      const result = await retryBatch(store.db, asked);
      this.note('retried', result.ok);
    } else if (operation <= 15) await this.retryOne();
    else if (operation === 16) {
      const drains = this.random(3) === 0;
      await (drains ? drainAgent : resumeAgent)(store.db, { agent, by: 'op', now: store.now });
      if (drains) this.#draining.add(agent);
      else this.#draining.delete(agent);
      this.note('drained', drains);
    } else if (operation === 17) await this.signal(agent);
  }

  note(event: string, did: boolean): void {
    if (did) this.happened.add(event);
  }

  async claim(agent: string): Promise<void> {
    await this.beat(agent);
    const held = this.#held.get(agent) ?? [];
    const { leases } = await this.store.claim(agent, SLOTS, held);
    if (this.#draining.has(agent)) expect(leases, 'a draining agent was given tasks').toEqual([]);
    if (this.#paused) expect(leases, 'a paused batch gave out tasks').toEqual([]);
    held.push(...leases);
  }

  /** What it lost by silence it must not report: another one may run it. */
  async beat(agent: string): Promise<void> {
    const held = this.#held.get(agent) ?? [];
    const running = held.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease }));
    const request = { session: this.store.sessions.get(agent) ?? 0, running };
    const { now } = this.store;
    const answer = await recordHeartbeat(this.store.db, { agent, request, now, lease_ms: LEASE_MS });
    if (!answer.ok) throw new Error('heartbeat refused');
    const gone = new Set(answer.answer.gone.map((lease) => keyOf(lease)));
    this.#held.set(
      agent,
      held.filter((lease) => !gone.has(keyOf(lease))),
    );
  }

  async finish(agent: string, succeeds: () => boolean): Promise<void> {
    const held = this.#held.get(agent) ?? [];
    const reports = held.splice(0, 1 + this.random(SLOTS)).map((lease) => {
      const aborted = this.#aborted.delete(keyOf(lease));
      const outcome = aborted ? 'stopped' : succeeds() ? 'succeeded' : 'failed';
      return this.store.report(lease, outcome);
    });
    await this.store.finish(agent, reports);
  }

  async resume(): Promise<void> {
    const asked = { batch_id: this.#id, by: 'op', now: this.store.now };
    const result = await resumeBatch(this.store.db, asked);
    if (result.ok) this.#paused = false;
  }

  async retryOne(): Promise<void> {
    const all = await this.rows();
    const lost = all.filter((row) => row.state === 'abandoned');
    const rows = lost.length > 0 && this.random(4) > 0 ? lost : all;
    const row = rows[this.random(rows.length)];
    if (row === undefined) return;
    const address = { batch_id: this.#id, stage_key: row.key, ordinal: row.ordinal };
    const result = await retryTask(this.store.db, { ...address, by: 'op', now: this.store.now });
    expect(result.ok, `${row.key}:${row.ordinal} is ${row.state}`).toBe(
      row.state === 'abandoned' || row.state === 'backoff',
    );
    this.note('one retried', result.ok);
  }

  async signal(agent: string): Promise<void> {
    const [lease] = this.#held.get(agent) ?? [];
    if (lease === undefined) return;
    const [stage] = await this.store.rows<{ key: string }>('SELECT key FROM stages WHERE id = :id', {
      id: lease.stage,
    });
    const address = { batch_id: this.#id, stage_key: stage?.key ?? '', ordinal: lease.ordinal };
    const kind = this.random(2) === 0 ? 'abort' : 'kill';
    const result = await signalTask(this.store.db, { ...address, kind, by: 'op', now: this.store.now });
    if (result.ok) this.#aborted.add(keyOf(lease));
    this.note('aborted', result.ok);
  }

  rows(): Promise<Row[]> {
    return this.store.rows<Row>(
      'SELECT s.key, s.group_size, t.ordinal, t.state, t.attempt FROM stages s JOIN tasks t ON t.stage_id = s.id ORDER BY s.id, t.ordinal',
    );
  }

  /** What must be so after every step, whatever operators did. */
  async check(): Promise<void> {
    const rows = await this.rows();
    for (const row of rows) {
      const key = `${row.key}:${row.ordinal}`;
      const before = this.#succeeded.get(key);
      // What succeeded is kept, and never run again.
      if (before !== undefined) expect([key, row.state, row.attempt]).toEqual([key, 'succeeded', before]);
      if (row.state === 'succeeded') this.#succeeded.set(key, row.attempt);
      if (row.state === 'skipped') expect(lossesAbove(rows, row), `${key} is skipped`).toBeGreaterThan(0);
      if (row.state === 'waiting') expect(lossesAbove(rows, row), `${key} waits`).toBe(0);
    }
    await this.checkStages(rows);
  }

  async checkStages(rows: readonly Row[]): Promise<void> {
    const stages = await this.store.rows<Record<string, number> & { key: string; state: string }>(
      'SELECT * FROM stages',
    );
    for (const stage of stages) {
      const mine = rows.filter((row) => row.key === stage.key);
      for (const state of ['waiting', 'ready', 'leased', 'backoff', 'succeeded', 'abandoned', 'skipped'])
        expect(stage[state], `${stage.key}.${state}`).toBe(mine.filter((row) => row.state === state).length);
      if (stage.state === 'done' || stage.state === 'failed')
        expect(
          mine.some((row) => LIVE.has(row.state)),
          `${stage.key} is ${stage.state}`,
        ).toBe(false);
    }
    const state = await this.store.batchState(this.#id);
    const open = stages.some((stage) => stage.state === 'open');
    expect([state, state === 'active' || state === 'paused']).toEqual([state, open]);
    if (!open) this.#paused = false;
  }

  /** Everybody works again, and everything is retried: nothing that operators did may have been for good. */
  async repair(): Promise<void> {
    for (const agent of AGENTS) await resumeAgent(this.store.db, { agent, by: 'op', now: this.store.now });
    this.#draining.clear();
    for (let round = 0; round < 500; round++) {
      await this.resume();
      await retryBatch(this.store.db, { batch_id: this.#id, by: 'op', now: this.store.now });
      await this.store.pass(5_000);
      for (const agent of AGENTS) {
        await this.claim(agent);
        await this.finish(agent, () => true);
      }
      await this.check();
      const rows = await this.rows();
      if (rows.every((row) => row.state === 'succeeded')) break;
    }
    expect(await this.store.batchState(this.#id)).toBe('succeeded');
  }
}

function keyOf(lease: { stage: number; ordinal: number; lease: number }): string {
  return `${lease.stage}:${lease.ordinal}:${lease.lease}`;
}

const ABOVE: Readonly<Record<string, readonly string[]>> = {
  tag: ['cut'],
  score: ['cut'],
  join: ['tag', 'score'],
};

/** Abandoned tasks that share an item with this one, at any height above it, by way of tasks that share one. */
function lossesAbove(rows: readonly Row[], task: Row): number {
  let losses = 0;
  for (const row of rows) {
    if (!(ABOVE[task.key] ?? []).includes(row.key)) continue;
    const isApart =
      row.ordinal * row.group_size >= (task.ordinal + 1) * task.group_size ||
      task.ordinal * task.group_size >= (row.ordinal + 1) * row.group_size;
    if (isApart) continue;
    losses += (row.state === 'abandoned' ? 1 : 0) + lossesAbove(rows, row);
  }
  return losses;
}
