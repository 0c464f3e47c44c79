import { TASK_STATES } from '@planfleet/shared-types';
import { expect } from 'vitest';
import { readRows } from '../../../../control-plane/src/store/database.ts';
import type { Fuzz } from './fuzz.ts';
import { batchState } from './fuzz-model.ts';

/** Compares every row and counter of the store with the model, and what agents hold with their slots. */
export async function checkFuzz(fuzz: Fuzz): Promise<void> {
  const [tasks, stages, batches] = await fuzz.db.batch(
    [
      { sql: 'SELECT stage_id, ordinal, state, tries, losses, attempt, agent_id FROM tasks', params: {} },
      { sql: 'SELECT * FROM stages', params: {} },
      { sql: 'SELECT state FROM batches', params: {} },
    ],
    'read',
  );
  const rows = readRows<{
    stage_id: number;
    ordinal: number;
    state: string;
    tries: number;
    losses: number;
    attempt: number;
  }>(tasks);
  const expanding =
    [...fuzz.model.stages.values()].some((stage) => stage.list !== null && stage.expanded) &&
    readRows<{ key: string; expanded: number }>(stages).some((stage) => Number(stage.expanded) === 0);
  for (const row of rows) {
    const key = fuzz.keys.get(row.stage_id) ?? '';
    const task = fuzz.stage(key).tasks[row.ordinal];
    let state = row.state === 'ready' && task?.state === 'backoff' ? 'backoff' : row.state;
    // The model's list is whole at once: a loss may pass through a group that the store has still to make.
    if (expanding && state === 'waiting' && task?.state === 'skipped') state = 'skipped';
    expect({
      key,
      ordinal: row.ordinal,
      state,
      tries: row.tries,
      losses: row.losses,
      attempt: row.attempt,
    }).toEqual({
      key,
      ordinal: row.ordinal,
      state: task?.state,
      tries: task?.tries,
      losses: task?.losses,
      attempt: task?.attempt,
    });
  }
  for (const stage of readRows<Record<string, number> & { key: string }>(stages)) {
    const mine = rows.filter((row) => fuzz.keys.get(row.stage_id) === stage.key);
    const recount = (state: string) => mine.filter((row) => row.state === state).length;
    for (const state of TASK_STATES) {
      expect(stage[state], `${stage.key}.${state}`).toBe(recount(state));
    }
    if (!expanding && !fuzz.model.cancelled) expect(mine.length).toBe(fuzz.stage(stage.key).tasks.length);
  }
  if (!expanding) expect(readRows<{ state: string }>(batches)[0]?.state).toBe(batchState(fuzz.model));
  for (const agent of fuzz.agents) {
    expect(fuzz.heldBy(agent.name), `${agent.name} holds`).toBeLessThanOrEqual(agent.slots);
  }
}
