import { expect } from 'vitest';
import { advanceChildren } from '../../control-plane/src/brain/advance-children.ts';
import { readTask } from '../../control-plane/src/store/queries/read-task.ts';
import { storeChildPlans } from '../../control-plane/src/store/transitions/store-child-plans.ts';
import { batchBlueprint, childStage } from './blueprints.ts';
import { StoreHarness } from './store-harness.ts';

/** Of the plan whose folders the child plans are. */
export const DIGEST = '0'.repeat(64);

const CHILD = `# Plan: Child

## Inputs
- **WHAT**: what to do (default: nothing)

## Tasks
### first
- **task_class**: cpu
- **command**: \`echo {WHAT}\`
- **max_attempts**: 1

### second
- **task_class**: cpu
- **command**: \`echo second\`
- **depends_on**: first
`;
const NESTED = `# Plan: Nested

## Tasks
### inner
- **type**: execute_plan
- **plan**: deep
`;

interface ChildRow {
  id: string;
  state: string;
  parent_attempt: number;
  priority: number;
  depth: number;
  inputs: string;
}

/** A store with plans that batches may execute, and what is done and asked about child batches. */
export class Family {
  private constructor(readonly store: StoreHarness) {}

  static async open(): Promise<Family> {
    const store = await StoreHarness.open();
    await storeChildPlans(store.db, {
      plan_digest: DIGEST,
      folders: new Map([
        ['child', CHILD],
        ['nested', NESTED],
        ['nested/deep', CHILD],
      ]),
    });
    return new Family(store);
  }

  advance(chunks = 100) {
    let left = chunks;
    const clock = { now: () => this.store.now };
    return advanceChildren({ db: this.store.db, clock }, () => left-- > 0);
  }

  /** Until there is nothing to do, as the brain's kick does it. */
  async settle(): Promise<void> {
    for (;;) {
      const { started, ended, cancelled } = await this.advance();
      if (started + ended + cancelled === 0) return;
    }
  }

  /** The child batches, in the order of their tasks. */
  rows(): Promise<ChildRow[]> {
    return this.store.rows<ChildRow>(
      'SELECT * FROM batches WHERE parent_stage IS NOT NULL ORDER BY parent_stage, parent_ordinal, parent_attempt',
    );
  }

  /** An agent that runs whatever it can get, with one outcome for each stage. */
  async work(outcomes: Record<string, 'succeeded' | 'failed'> = {}): Promise<void> {
    const { store } = this;
    for (;;) {
      const answer = await store.claim('z', 500);
      if (answer.leases.length === 0) return;
      const keys = store.keys(answer);
      await store.finish(
        'z',
        answer.leases.map((lease, n) => store.report(lease, outcomes[keys[n] ?? ''] ?? 'succeeded')),
      );
    }
  }

  /** Starts a batch of one execute_plan task, its child and an agent. */
  async startOne(config: Record<string, unknown> = {}, change: Parameters<typeof childStage>[2] = {}) {
    const id = await this.store.submit(batchBlueprint([childStage('sub', config, change)]));
    await this.store.register('z');
    await this.settle();
    const child = (await this.rows()).at(-1);
    if (child === undefined) throw new Error('No child was started.');
    return { id, child };
  }

  detail(id: string) {
    return readTask(this.store.db, { batch_id: id, stage_key: 'sub', ordinal: 0 });
  }

  /** Every counter of a stage is the number of its rows in that state, and what the brain holds has a child. */
  async expectSound(): Promise<void> {
    const wrong = await this.store.rows(
      `SELECT s.key FROM stages s WHERE s.total <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id)
      OR s.leased <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = 'leased')
      OR s.ready <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = 'ready')
      OR s.succeeded <> (SELECT count(*) FROM tasks t WHERE t.stage_id = s.id AND t.state = 'succeeded')`,
    );
    expect(wrong).toEqual([]);
    const childless = await this.store.rows(
      `SELECT * FROM tasks t WHERE t.agent_id = 0 AND t.state = 'leased' AND NOT EXISTS (SELECT 1 FROM batches c
      WHERE c.parent_stage = t.stage_id AND c.parent_ordinal = t.ordinal AND c.parent_attempt = t.attempt)`,
    );
    expect(childless).toEqual([]);
  }
}
