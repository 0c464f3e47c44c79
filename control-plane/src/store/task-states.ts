import type { TaskState } from '@planfleet/shared-types';

/** A change of a task's state and the operations that make it: nothing else writes `tasks.state`. */
export interface TaskTransition {
  readonly from: TaskState;
  readonly to: TaskState;
  readonly by: string;
}

/**
 * Every change of state there is. The diagram in control-plane/docs/states.md is compared with this table, and
 * what the store really does under random operations is compared with it too.
 */
export const TASK_TRANSITIONS: readonly TaskTransition[] = [
  { from: 'waiting', to: 'ready', by: 'release' },
  { from: 'waiting', to: 'skipped', by: 'skip' },
  { from: 'waiting', to: 'cancelled', by: 'sweep' },
  { from: 'ready', to: 'leased', by: 'claim, hold, heartbeat (back after a silence)' },
  { from: 'ready', to: 'succeeded', by: 'finish (late result)' },
  { from: 'ready', to: 'cancelled', by: 'sweep' },
  { from: 'leased', to: 'succeeded', by: 'finish' },
  { from: 'leased', to: 'backoff', by: 'finish' },
  { from: 'leased', to: 'abandoned', by: 'finish, expire, register' },
  { from: 'leased', to: 'ready', by: 'finish (returned), expire, register' },
  { from: 'leased', to: 'cancelled', by: 'finish, expire, register' },
  { from: 'backoff', to: 'ready', by: 'promote, retry' },
  { from: 'backoff', to: 'cancelled', by: 'sweep' },
  { from: 'abandoned', to: 'ready', by: 'retry' },
  { from: 'skipped', to: 'waiting', by: 'retry' },
];

/** States in which a task begins its life: single tasks and items without an item predecessor are ready at once. */
export const INITIAL_TASK_STATES: readonly TaskState[] = ['waiting', 'ready'];
