import type { StageView } from '@planfleet/shared-types';
import { addSample, type CountSample, recentRate, type StageOutlook } from './expected-end.ts';

/** What was seen of a batch so far, for its rates. */
export class ProgressHistory {
  readonly #samples = new Map<string, readonly CountSample[]>();

  /** One look; `nowMs` of a monotonic clock. */
  record(stages: readonly StageView[], nowMs: number): void {
    for (const stage of stages) {
      const ended = endedOf(stage);
      const samples = this.#samples.get(stage.key) ?? [];
      // The time before its first task began says nothing of its speed.
      if (samples.length === 0 && ended === 0 && stage.leased === 0) continue;
      this.#samples.set(stage.key, addSample(samples, { at_ms: nowMs, ended }));
    }
  }

  outlook(stages: readonly StageView[], nowMs: number): StageOutlook[] {
    return stages.map((stage) => {
      const isOver = ['done', 'failed', 'cancelled'].includes(stage.state);
      const ended = endedOf(stage);
      return {
        key: stage.key,
        depends_on: stage.depends_on,
        remaining: isOver ? 0 : stage.total - ended - stage.skipped - stage.cancelled,
        rate: recentRate(this.#samples.get(stage.key) ?? [], nowMs),
        complete: isOver || stage.expanded,
        begun: ended > 0 || stage.leased > 0,
      };
    });
  }
}

/** Those that were run to an end; what is skipped or cancelled costs no time. */
function endedOf(stage: StageView): number {
  return stage.succeeded + stage.abandoned;
}
