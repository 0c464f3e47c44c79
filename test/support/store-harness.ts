import type { ClaimAnswer, LeasedTask, Report, ResultsAnswer } from '@planfleet/shared-types';
import type { BatchBlueprint } from '../../control-plane/src/blueprint.ts';
import { runTick } from '../../control-plane/src/brain/tick.ts';
import { readRows } from '../../control-plane/src/store/database.ts';
import { claimTasks } from '../../control-plane/src/store/transitions/claim-tasks.ts';
import { finishAttempts } from '../../control-plane/src/store/transitions/finish-attempts.ts';
import { registerAgent } from '../../control-plane/src/store/transitions/register-agent.ts';
import { submitBatch } from '../../control-plane/src/store/transitions/submit-batch.ts';
import { submission } from './blueprints.ts';
import { buildReport } from './build-report.ts';
import { openTempDatabase, type TempDatabase } from './temp-database.ts';

export const LEASE_MS = 35_000;
export const TICK_MS = 5_000;

/** A store with a clock that the test moves, and agents that do what the test says. */
export class StoreHarness {
  now = 1_800_000_000_000;
  readonly sessions = new Map<string, number>();

  private constructor(readonly db: TempDatabase) {}

  static async open(): Promise<StoreHarness> {
    const harness = new StoreHarness(await openTempDatabase());
    // The first tick gives agents time to be heard before anything expires; the tests begin after that.
    await harness.pass(60_000);
    return harness;
  }

  tick() {
    return runTick({
      db: this.db,
      clock: { now: () => this.now },
      settings: { lease_ms: LEASE_MS, tick_ms: TICK_MS },
    });
  }

  /** Time passes as it does while a control plane runs: with a tick every interval. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= TICK_MS) {
      this.now += Math.min(left, TICK_MS);
      await this.tick();
    }
  }

  async submit(blueprint: BatchBlueprint, priority = 5): Promise<string> {
    return (await submitBatch(this.db, submission(blueprint, { now: this.now, priority }))).batch_id;
  }

  async register(
    name: string,
    change: {
      slots?: number;
      labels?: string[];
      storage?: string;
      boot_id?: string;
      started_at?: number;
      have?: LeasedTask[];
    } = {},
  ) {
    const answer = await registerAgent(this.db, {
      now: this.now,
      lease_ms: LEASE_MS,
      request: {
        protocol: 1,
        name,
        boot_id: change.boot_id ?? `boot of ${name} at ${this.now}`,
        started_at: change.started_at ?? this.now,
        hostname: 'host',
        version: '0',
        slots: change.slots ?? 100,
        labels: change.labels ?? [],
        storage: change.storage ?? 'shared',
        have: (change.have ?? []).map(({ stage, ordinal, lease }) => ({ stage, ordinal, lease })),
      },
    });
    if (answer.ok) this.sessions.set(name, answer.session);
    return answer;
  }

  async tryClaim(name: string, slots: number, have: readonly LeasedTask[] = []) {
    return claimTasks(this.db, {
      agent: name,
      now: this.now,
      lease_ms: LEASE_MS,
      tick_ms: TICK_MS,
      request: { session: this.sessions.get(name) ?? 0, slots, have: have.map((lease) => lease.lease) },
    });
  }

  async claim(name: string, slots: number, have: readonly LeasedTask[] = []): Promise<ClaimAnswer> {
    const answer = await this.tryClaim(name, slots, have);
    if (!answer.ok) throw new Error(`The claim of ${name} was refused.`);
    return answer.answer;
  }

  report(lease: LeasedTask, outcome: Report['outcome'] = 'succeeded', change: Partial<Report> = {}): Report {
    return buildReport(lease, outcome, this.now, change);
  }

  async finish(name: string, reports: Report[], slots: number | null = null): Promise<ResultsAnswer> {
    const session = this.sessions.get(name) ?? 0;
    const answer = await finishAttempts(this.db, {
      agent: name,
      session,
      reports,
      claim: slots === null ? null : { session, slots, have: reports.map((report) => report.lease) },
      now: this.now,
      lease_ms: LEASE_MS,
      random: () => 0.5,
    });
    if (!answer.ok) throw new Error(`The results of ${name} were refused.`);
    return answer.answer;
  }

  /** Keys of the stages that leases are of, as often as they occur. */
  keys(answer: ClaimAnswer | null): string[] {
    const byId = new Map(answer?.stages.map((stage) => [stage.stage, stage.key]));
    return (answer?.leases ?? []).map((lease) => byId.get(lease.stage) ?? '?');
  }

  async rows<Row>(sql: string, params: Record<string, string | number> = {}): Promise<Row[]> {
    const [result] = await this.db.batch([{ sql, params }], 'read');
    return readRows<Row>(result);
  }

  async batchState(id: string): Promise<string> {
    const [row] = await this.rows<{ state: string }>('SELECT state FROM batches WHERE id = :id', { id });
    return row?.state ?? 'none';
  }

  async taskStates(key: string): Promise<string[]> {
    const rows = await this.rows<{ state: string }>(
      'SELECT t.state FROM stages s JOIN tasks t ON t.stage_id = s.id WHERE s.key = :key ORDER BY s.id, t.ordinal',
      { key },
    );
    return rows.map((row) => row.state);
  }

  close(): Promise<void> {
    return this.db.close();
  }
}

/** The first of the leases that a claim brought. */
export function firstLease(leases: readonly LeasedTask[]): LeasedTask {
  const [lease] = leases;
  if (lease === undefined) throw new Error('The claim brought no lease.');
  return lease;
}
