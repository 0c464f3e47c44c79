/**
 * An independent picture of a batch, kept in plain objects: what must be true after each step, worked out from the
 * rules in the design alone. Shares no code with `store/`.
 */
export interface ModelTask {
  state: 'waiting' | 'ready' | 'leased' | 'backoff' | 'succeeded' | 'abandoned' | 'skipped' | 'cancelled';
  tries: number;
  losses: number;
  attempt: number;
  lease: { agent: string; number: number } | null;
  /** A lost lease that would still be accepted as a late success. */
  lost: { agent: string; number: number } | null;
  notBefore: number;
}

export interface ModelStage {
  readonly key: string;
  readonly maxAttempts: number;
  /** Items that may be abandoned. */
  readonly maxFailures: number;
  readonly all: readonly string[];
  readonly item: readonly string[];
  /** Number of items, null: a single task. */
  readonly list: number | null;
  /** Items of a task. */
  readonly group: number;
  tasks: ModelTask[];
  expanded: boolean;
}

export interface ModelBatch {
  readonly stages: Map<string, ModelStage>;
  cancelled: boolean;
}

const MAX_LOSSES = 5;

export function newTask(state: ModelTask['state']): ModelTask {
  return { state, tries: 0, losses: 0, attempt: 0, lease: null, lost: null, notBefore: 0 };
}

function stageOf(batch: ModelBatch, key: string): ModelStage {
  const stage = batch.stages.get(key);
  if (stage === undefined) throw new Error(`no stage ${key} in the model`);
  return stage;
}

const LIVE = new Set(['waiting', 'ready', 'leased', 'backoff']);

export function isOver(stage: ModelStage): boolean {
  return stage.expanded && stage.tasks.every((task) => !LIVE.has(task.state));
}

/** The items of a task, by their places in the list; a task without a list has one, itself. */
export function itemsOf(stage: ModelStage, ordinal: number): number[] {
  const items: number[] = [];
  for (let item = 0; item < (stage.list ?? 1); item++) {
    if (Math.floor(item / stage.group) === ordinal) items.push(item);
  }
  return items;
}

function abandonedIn(stage: ModelStage): number {
  return stage.tasks.reduce(
    (sum, task, ordinal) => sum + (task.state === 'abandoned' ? itemsOf(stage, ordinal).length : 0),
    0,
  );
}

/** Done: over, within what it may lose, and so is every stage above it along the items, if anything in it was skipped. */
export function isDone(batch: ModelBatch, stage: ModelStage): boolean {
  if (!isOver(stage) || abandonedIn(stage) > stage.maxFailures) return false;
  const skipped = stage.tasks.some((task) => task.state === 'skipped');
  return !skipped || stage.item.every((key) => isOverWithinLimit(batch, key));
}

function isOverWithinLimit(batch: ModelBatch, key: string): boolean {
  const stage = stageOf(batch, key);
  return (
    isOver(stage) &&
    abandonedIn(stage) <= stage.maxFailures &&
    stage.item.every((above) => isOverWithinLimit(batch, above))
  );
}

export function mayOpen(batch: ModelBatch, stage: ModelStage): boolean {
  return stage.all.every((key) => {
    const above = stageOf(batch, key);
    return mayOpen(batch, above) && isDone(batch, above);
  });
}

/** Brings waiting tasks along: released when all their items are done above, skipped when one is lost there. */
export function propagate(batch: ModelBatch): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const stage of batch.stages.values()) {
      for (const [ordinal, task] of stage.tasks.entries()) {
        if (task.state !== 'waiting') continue;
        const above = stage.item.flatMap((key) => {
          const upper = stageOf(batch, key);
          return itemsOf(stage, ordinal).map((item) => upper.tasks[Math.floor(item / upper.group)]?.state);
        });
        if (above.some((state) => state === 'abandoned' || state === 'skipped')) {
          task.state = 'skipped';
          changed = true;
        } else if (above.every((state) => state === 'succeeded')) {
          task.state = 'ready';
          changed = true;
        }
      }
    }
  }
}

export function finish(
  batch: ModelBatch,
  stage: ModelStage,
  task: ModelTask,
  outcome: string,
  now: number,
): void {
  task.lease = null;
  task.lost = null;
  if (batch.cancelled) task.state = 'cancelled';
  else if (outcome === 'succeeded') task.state = 'succeeded';
  else if (outcome === 'returned') task.state = 'ready';
  else {
    task.tries += 1;
    task.state = task.tries >= stage.maxAttempts ? 'abandoned' : 'backoff';
    task.notBefore = now;
  }
  propagate(batch);
}

export function lose(batch: ModelBatch, task: ModelTask): void {
  task.losses += 1;
  task.lost = task.lease;
  task.lease = null;
  if (batch.cancelled) task.state = 'cancelled';
  else task.state = task.losses >= MAX_LOSSES ? 'abandoned' : 'ready';
  if (task.state !== 'ready') task.lost = null;
  propagate(batch);
}

export function batchState(batch: ModelBatch): string {
  const stages = [...batch.stages.values()];
  if (batch.cancelled) {
    return stages.every((stage) => stage.tasks.every((task) => !LIVE.has(task.state)))
      ? 'cancelled'
      : 'cancelling';
  }
  const open = stages.filter((stage) => mayOpen(batch, stage));
  if (open.some((stage) => !isOver(stage))) return 'active';
  return stages.every((stage) => mayOpen(batch, stage) && isDone(batch, stage)) ? 'succeeded' : 'failed';
}
