import type { ClaimAnswer, LeaseKey, Report } from '@planfleet/shared-types';
import { expect } from 'vitest';
import { runTick } from '../../../../control-plane/src/brain/tick.ts';
import { type Database, readRows } from '../../../../control-plane/src/store/database.ts';
import { cancelBatch } from '../../../../control-plane/src/store/transitions/cancel-batch.ts';
import { claimTasks } from '../../../../control-plane/src/store/transitions/claim-tasks.ts';
import { expandList } from '../../../../control-plane/src/store/transitions/expand-list.ts';
import { finishAttempts } from '../../../../control-plane/src/store/transitions/finish-attempts.ts';
import { recordHeartbeat } from '../../../../control-plane/src/store/transitions/record-heartbeat.ts';
import { registerAgent } from '../../../../control-plane/src/store/transitions/register-agent.ts';
import { storeListChunks } from '../../../../control-plane/src/store/transitions/store-list-chunks.ts';
import { submitBatch } from '../../../../control-plane/src/store/transitions/submit-batch.ts';
import { batchBlueprint, stageBlueprint, submission } from '../../../support/blueprints.ts';
import { buildReport } from '../../../support/build-report.ts';
import {
  batchState,
  finish,
  isOver,
  itemsOf,
  lose,
  type ModelBatch,
  type ModelStage,
  type ModelTask,
  mayOpen,
  newTask,
  propagate,
} from './fuzz-model.ts';

export const LEASE_MS = 35_000;
const TICK_MS = 5_000;
const AGENTS = [
  { name: 'a', slots: 4 },
  { name: 'b', slots: 3 },
  { name: 'c', slots: 1 },
];

const GROUPS = [1, 2, 3, 5, 7];

/** How often each thing that makes a run worth its while has happened, over all seeds. */
export const happened = new Map<string, number>();
const seen = (event: string) => happened.set(event, (happened.get(event) ?? 0) + 1);

interface HeldLease extends LeaseKey {
  readonly attempt: number;
  readonly key: string;
  readonly list: number | null;
}

interface FuzzAgent {
  readonly name: string;
  readonly slots: number;
  session: number;
  boot: number;
  held: HeldLease[];
  old: HeldLease[];
  silentSince: number;
}

/** A store under random operations beside a model of it: every answer and every state is compared. */
export class Fuzz {
  readonly model: ModelBatch;
  readonly agents: FuzzAgent[];
  now = 1_800_000_000_000;
  batchId = '';
  keys = new Map<number, string>();
  listId = 0;
  /** One of so many ticks makes the whole list into tasks; the others a chunk at most. */
  haste: number;

  constructor(
    readonly db: Database,
    readonly random: (below: number) => number,
    readonly items: number,
    grouped = false,
  ) {
    const stage = (key: string, change: Partial<ModelStage>): [string, ModelStage] => {
      const list = change.list ?? null;
      const tasks = list === null ? [newTask('ready')] : [];
      return [
        key,
        {
          key,
          maxAttempts: 3,
          maxFailures: 0,
          all: [],
          item: [],
          tasks,
          expanded: list === null,
          ...change,
          list,
          group: list === null || !grouped ? 1 : (GROUPS[this.random(GROUPS.length)] ?? 1),
        },
      ];
    };
    if (grouped) seen('list in groups');
    this.haste = [1, 3, 40][this.random(3)] ?? 1;
    this.model = {
      cancelled: false,
      stages: new Map([
        stage('scan', { maxAttempts: 9 }),
        stage('setup', { maxAttempts: 9 }),
        stage('cut', { list: items, all: ['scan'], maxFailures: 1, maxAttempts: 2 }),
        stage('tag', { list: items, all: ['scan'], item: ['cut'] }),
        stage('score', { list: items, all: ['scan', 'setup'], item: ['cut'], maxFailures: 2 }),
        stage('join', { list: items, all: ['scan', 'setup'], item: ['tag', 'score'] }),
        stage('combine', { all: ['join'], maxAttempts: 9 }),
      ]),
    };
    this.agents = AGENTS.map((agent) => ({
      ...agent,
      session: 0,
      boot: 0,
      held: [],
      old: [],
      silentSince: 0,
    }));
  }

  async start(): Promise<void> {
    const stages = [...this.model.stages.values()];
    const listStages = stages.flatMap((stage, index) => (stage.list === null ? [] : [index]));
    const [first = 0, ...rest] = listStages;
    const blueprint = batchBlueprint(
      stages.map((stage) =>
        stageBlueprint(stage.key, {
          max_attempts: stage.maxAttempts,
          max_failures: stage.maxFailures,
          group_size: stage.group,
        }),
      ),
      stages.flatMap((stage) => [
        ...stage.all.map((from) => [from, stage.key, 'all'] as const),
        ...stage.item.map((from) => [from, stage.key, 'item'] as const),
      ]),
      [
        {
          stages: [first, ...rest],
          source: { kind: 'file', producer: 0, path: 'items.json', jsonpath: null },
        },
      ],
    );
    const submitted = await submitBatch(this.db, submission(blueprint, { now: this.now }));
    this.batchId = submitted.batch_id;
    const [rows, lists] = await this.db.batch(
      [
        { sql: 'SELECT id, key FROM stages', params: {} },
        { sql: 'SELECT id FROM lists', params: {} },
      ],
      'read',
    );
    this.keys = new Map(readRows<{ id: number; key: string }>(rows).map((row) => [row.id, row.key]));
    this.listId = readRows<{ id: number }>(lists)[0]?.id ?? 0;
    // The first tick of a control plane gives agents time to be heard; let that pass.
    await this.pass(60_000);
    for (const agent of this.agents) await this.register(agent, []);
  }

  /** Time passes with ticks in it: the silence of a control plane that was down is a test of its own. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 8_000) {
      this.now += Math.min(left, 8_000);
      await this.tick();
    }
  }

  stage(key: string): ModelStage {
    const stage = this.model.stages.get(key);
    if (stage === undefined) throw new Error(`no stage ${key}`);
    return stage;
  }

  task(lease: HeldLease): ModelTask {
    const task = this.stage(lease.key).tasks[lease.ordinal];
    if (task === undefined) throw new Error(`no task ${lease.key}:${lease.ordinal}`);
    return task;
  }

  async register(agent: FuzzAgent, keep: HeldLease[]): Promise<void> {
    agent.boot += 1;
    const answer = await registerAgent(this.db, {
      now: this.now,
      lease_ms: LEASE_MS,
      request: {
        protocol: 1,
        name: agent.name,
        boot_id: `boot-${agent.name}-${agent.boot}`,
        started_at: this.now,
        hostname: 'h',
        version: '0',
        slots: agent.slots,
        labels: [],
        storage: 'shared:fuzz',
        have: keep.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease })),
      },
    });
    if (!answer.ok) throw new Error('registration refused');
    agent.session = answer.session;
    agent.silentSince = this.now;
    const kept = new Set(keep);
    for (const stage of this.model.stages.values()) {
      for (const task of stage.tasks) {
        if (task.lease?.agent !== agent.name) continue;
        const number = task.lease.number;
        if ([...kept].some((lease) => this.task(lease) === task && lease.lease === number)) continue;
        lose(this.model, task);
        seen('lost at restart');
      }
    }
    agent.old.push(...agent.held.filter((lease) => !kept.has(lease)));
    agent.held = keep;
  }

  async claim(agent: FuzzAgent, answerLost: boolean): Promise<void> {
    this.expireModel();
    const answer = await claimTasks(this.db, {
      agent: agent.name,
      now: this.now,
      lease_ms: LEASE_MS,
      tick_ms: TICK_MS,
      request: { session: agent.session, slots: agent.slots, have: agent.held.map((lease) => lease.lease) },
    });
    if (!answer.ok) throw new Error('claim refused');
    agent.silentSince = this.now;
    await this.takeLeases(agent, answer.answer, answerLost);
  }

  /** Which tasks were taken is the store's choice; that each was free to take is checked against the model. */
  async takeLeases(agent: FuzzAgent, answer: ClaimAnswer | null, answerLost: boolean): Promise<void> {
    const rows = await this.leasedRows();
    for (const row of rows) {
      const task = this.task(row);
      if (task.lease !== null && task.lease.number === row.lease) continue;
      this.promoteModel(task);
      expect(task.state, `claimed ${row.key}:${row.ordinal}`).toBe('ready');
      const own = agent.held.some(
        (lease) => lease.lease === task.lost?.number && task.lost.agent === agent.name,
      );
      expect(own, `claimed anew ${row.key}:${row.ordinal}, which it still runs`).toBe(false);
      expect(mayOpen(this.model, this.stage(row.key)), `claimed ${row.key} before it may open`).toBe(true);
      task.state = 'leased';
      task.attempt += 1;
      task.lost = null;
      task.lease = { agent: agent.name, number: row.lease };
      expect(row.attempt).toBe(task.attempt);
    }
    if (answer === null) return;
    const known = new Set(agent.held.map((lease) => lease.lease));
    const mine = rows.filter((row) => this.task(row).lease?.agent === agent.name && !known.has(row.lease));
    const told = answer.leases.map((lease) => `${lease.stage}:${lease.ordinal}:${lease.lease}`).sort();
    expect(told).toEqual(mine.map((row) => `${row.stage}:${row.ordinal}:${row.lease}`).sort());
    for (const lease of answer.leases) {
      const stage = this.stage(this.keys.get(lease.stage) ?? '');
      if (stage.list === null) continue;
      const items = itemsOf(stage, lease.ordinal).map((item) => `item ${item}`);
      if (stage.group === 1) expect([lease.item]).toEqual(items);
      else expect(lease.group).toEqual({ first: lease.ordinal * stage.group, items });
    }
    if (answerLost) seen('claim answer lost');
    else agent.held.push(...mine);
  }

  async leasedRows(): Promise<HeldLease[]> {
    const [rows] = await this.db.batch(
      [
        {
          sql: "SELECT stage_id AS stage, ordinal, lease, attempt FROM tasks WHERE state = 'leased' ORDER BY 1, 2",
          params: {},
        },
      ],
      'read',
    );
    return readRows<LeaseKey & { attempt: number }>(rows).map((row) => {
      const key = this.keys.get(row.stage) ?? '';
      return { ...row, key, list: key === 'scan' ? this.listId : null };
    });
  }

  promoteModel(task: ModelTask): void {
    if (task.state === 'backoff') task.state = 'ready';
  }

  expireModel(): void {
    for (const agent of this.agents) {
      if (agent.silentSince + LEASE_MS >= this.now) continue;
      for (const stage of this.model.stages.values()) {
        for (const task of stage.tasks) {
          if (task.lease?.agent !== agent.name) continue;
          lose(this.model, task);
          seen('lease expired');
        }
      }
    }
  }

  async finish(agent: FuzzAgent, calm: boolean): Promise<void> {
    const reports: Report[] = [];
    const leases: HeldLease[] = [];
    const outcomes = calm
      ? (['succeeded'] as const)
      : (['succeeded', 'succeeded', 'succeeded', 'failed', 'failed', 'returned'] as const);
    const count = 1 + this.random(4);
    for (let n = 0; n < count && agent.held.length > 0; n++) {
      const [lease] = agent.held.splice(this.random(agent.held.length), 1);
      if (lease === undefined) break;
      leases.push(lease);
      const report = buildReport(lease, outcomes[this.random(outcomes.length)] ?? 'succeeded', this.now);
      if (lease.list !== null && report.outcome === 'succeeded') {
        if (!calm && this.random(4) === 0) {
          seen('report without its items');
          report.lists.push({ list: lease.list, count: this.items, chunks: ['f'.repeat(64)] });
        } else report.lists.push(await this.sendItems(agent, lease));
      }
      reports.push(report);
    }
    if (agent.old.length > 0 && this.random(2) === 0) {
      const stale = agent.old[this.random(agent.old.length)];
      if (
        stale !== undefined &&
        stale.list === null &&
        !leases.some((lease) => lease.stage === stale.stage && lease.ordinal === stale.ordinal)
      ) {
        leases.push(stale);
        reports.push(buildReport(stale, this.random(3) === 0 ? 'failed' : 'succeeded', this.now));
        seen('stale report');
      }
    }
    if (reports.length === 0) return;
    const repeat = this.random(3) === 0;
    for (let n = 0; n < (repeat ? 2 : 1); n++) await this.post(agent, leases, reports, n > 0);
    agent.old.push(...leases);
  }

  async post(agent: FuzzAgent, leases: HeldLease[], reports: Report[], again: boolean): Promise<void> {
    if (again) seen('report repeated');
    const expected = reports.map((report, index) => {
      const lease = leases[index];
      if (lease === undefined) throw new Error('no lease');
      const task = this.task(lease);
      const live = task.lease?.number === report.lease && task.lease.agent === agent.name;
      const late =
        task.state === 'ready' &&
        task.lost?.number === report.lease &&
        task.lost.agent === agent.name &&
        report.outcome === 'succeeded';
      if (!live && !late) return 'lease_lost';
      if (report.lists.some((list) => list.chunks[0] === 'f'.repeat(64))) return 'items_incomplete';
      if (late) seen('late result');
      return 'accepted';
    });
    const claim =
      this.random(2) === 0
        ? {
            session: agent.session,
            slots: agent.slots,
            have: [...agent.held, ...leases].map((lease) => lease.lease),
          }
        : null;
    const answer = await finishAttempts(this.db, {
      agent: agent.name,
      session: agent.session,
      reports,
      claim,
      now: this.now,
      lease_ms: LEASE_MS,
      random: () => this.random(1000) / 1000,
    });
    if (!answer.ok) throw new Error('results refused');
    agent.silentSince = this.now;
    expect(answer.answer.results).toEqual(expected);
    for (const [index, report] of reports.entries()) {
      const lease = leases[index];
      if (lease === undefined || expected[index] !== 'accepted') continue;
      finish(this.model, this.stage(lease.key), this.task(lease), report.outcome, this.now);
      if (report.lists.length > 0 && report.outcome === 'succeeded' && !this.model.cancelled)
        this.expandModel();
    }
    for (const [index, lease] of leases.entries()) {
      // The agent still holds what it must report again.
      if (expected[index] === 'items_incomplete' && !agent.held.includes(lease)) agent.held.push(lease);
    }
    const givenBack = new Set(agent.held);
    await this.takeLeases(agent, answer.answer.claim, false);
    agent.held = [...new Set([...agent.held, ...givenBack])];
  }

  expandModel(): void {
    for (const stage of this.model.stages.values()) {
      if (stage.list === null || stage.expanded) continue;
      stage.expanded = true;
      stage.tasks = Array.from({ length: Math.ceil(stage.list / stage.group) }, () =>
        newTask(stage.item.length > 0 ? 'waiting' : 'ready'),
      );
    }
    propagate(this.model);
  }

  async sendItems(agent: FuzzAgent, lease: HeldLease): Promise<Report['lists'][number]> {
    const chunks: string[] = [];
    const length = 1 + this.random(5);
    for (let offset = 0; offset < this.items; offset += length) {
      const items = Array.from(
        { length: Math.min(length, this.items - offset) },
        (_, index) => `item ${offset + index}`,
      );
      const sha256 = String(offset).padStart(64, '0');
      chunks.push(sha256);
      await storeListChunks(this.db, {
        agent: agent.name,
        request: {
          session: agent.session,
          list: lease.list ?? 0,
          lease: lease.lease,
          chunks: [{ offset, sha256, items }],
        },
      });
    }
    return { list: lease.list ?? 0, count: this.items, chunks };
  }

  heldBy(agent: string): number {
    return [...this.model.stages.values()]
      .flatMap((stage) => stage.tasks)
      .filter((task) => task.lease?.agent === agent).length;
  }

  /** After a silence the heartbeat takes back what nobody else has claimed. */
  async beat(agent: FuzzAgent): Promise<void> {
    const running = agent.held.map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease }));
    const answer = await recordHeartbeat(this.db, {
      agent: agent.name,
      request: { session: agent.session, running },
      now: this.now,
      lease_ms: LEASE_MS,
    });
    if (!answer.ok) throw new Error('heartbeat refused');
    agent.silentSince = this.now;
    const gone: string[] = [];
    for (const lease of agent.held) {
      const task = this.task(lease);
      const mine = (holder: ModelTask['lease']) =>
        holder?.agent === agent.name && holder.number === lease.lease;
      const lost = mine(task.lost) && task.state === 'ready' && !this.model.cancelled;
      if (lost && this.heldBy(agent.name) < agent.slots) {
        task.state = 'leased';
        task.losses -= 1;
        task.lease = task.lost;
        task.lost = null;
        seen('lease taken back');
      } else if (!lost && !mine(task.lease)) gone.push(`${lease.stage}:${lease.ordinal}:${lease.lease}`);
    }
    expect(
      answer.answer.gone.map((lease) => `${lease.stage}:${lease.ordinal}:${lease.lease}`).sort(),
    ).toEqual(gone.sort());
    agent.old.push(
      ...agent.held.filter((lease) => gone.includes(`${lease.stage}:${lease.ordinal}:${lease.lease}`)),
    );
    agent.held = agent.held.filter(
      (lease) => !gone.includes(`${lease.stage}:${lease.ordinal}:${lease.lease}`),
    );
  }

  async tick(): Promise<void> {
    this.expireModel();
    const slowly = this.random(this.haste) > 0;
    if (slowly) await this.hideChunks();
    await runTick({
      db: this.db,
      clock: { now: () => this.now },
      settings: { lease_ms: LEASE_MS, tick_ms: TICK_MS },
    });
    if (slowly) await this.expandSlowly();
    for (const stage of this.model.stages.values()) {
      for (const task of stage.tasks)
        if (task.state === 'backoff' && task.notBefore + 300_000 < this.now) this.promoteModel(task);
    }
  }

  /** A tick that comes to everything but the list: so that much happens while the list is half made into tasks. */
  async hideChunks(): Promise<void> {
    await this.db.batch([{ sql: 'UPDATE list_chunks SET lease = -lease - 1', params: {} }], 'write');
  }

  async expandSlowly(): Promise<void> {
    await this.hideChunks();
    if (this.random(6) > 0) return;
    const { more } = await expandList(this.db, { list: this.listId, now: this.now });
    if (more) seen('list half made');
  }

  async cancel(): Promise<void> {
    if (batchState(this.model) !== 'active') return;
    await cancelBatch(this.db, { batch_id: this.batchId, now: this.now });
    this.model.cancelled = true;
    for (const stage of this.model.stages.values()) {
      stage.expanded = true;
      for (const task of stage.tasks)
        if (['waiting', 'ready', 'backoff'].includes(task.state)) task.state = 'cancelled';
    }
    seen('cancelled');
  }

  over(): boolean {
    return ['succeeded', 'failed', 'cancelled'].includes(batchState(this.model));
  }

  describe(): string {
    return [...this.model.stages.values()]
      .map(
        (stage) =>
          `${stage.key}${isOver(stage) ? '!' : ''}:${stage.tasks.map((task) => task.state[0]).join('')}`,
      )
      .join(' ');
  }
}
