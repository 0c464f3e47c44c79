/** How many tasks of a stage had ended at a time. */
export interface CountSample {
  readonly at_ms: number;
  readonly ended: number;
}

/** A stage as far as its end can be foreseen. */
export interface StageOutlook {
  readonly key: string;
  readonly depends_on: readonly string[];
  /** Tasks that have not ended. */
  readonly remaining: number;
  /** Tasks a second; null: not known (yet). */
  readonly rate: number | null;
  /** False: there will be more tasks than `remaining`. */
  readonly complete: boolean;
  /** Some of its tasks have begun, so it does not wait for the stages before it as a whole. */
  readonly begun: boolean;
}

export interface ExpectedEnd {
  readonly remaining_ms: number;
  /** There is more to come that cannot be foreseen: a list, or a stage that has not begun. */
  readonly at_least: boolean;
}

/** Of one stage; those of the last quarter of an hour of a fast one are more than a rate needs. */
const MOST_SAMPLES = 500;
/**
 * A rate looks back over this time and this many ends at least: machines that begin together end together, and
 * between two such bursts a shorter look would see none, in one far too many.
 */
const WINDOW_MS = 60_000;
const WINDOW_ENDS = 30;
/** With fewer ends, or in a shorter time, a rate would be a guess. */
const FEWEST_ENDS = 4;
const SHORTEST_MS = 3_000;
/** Nothing ended for so many times as long as usual (and this long): what will be is not what was. */
const STALLED_GAPS = 5;
const STALLED_MS = 60_000;
/** Beyond this, the tasks that were measured say nothing of those that come. */
const FURTHEST_MS = 30 * 24 * 3_600_000;

/** The history of a stage with one look more. Fewer ended than before: tasks were retried, and it begins anew. */
export function addSample(samples: readonly CountSample[], sample: CountSample): readonly CountSample[] {
  const last = samples.at(-1);
  if (last === undefined || sample.ended < last.ended) return [sample];
  if (sample.ended === last.ended) return samples;
  return [...samples.slice(-(MOST_SAMPLES - 1)), sample];
}

/** Tasks a second of late; null where that cannot be said. */
export function recentRate(samples: readonly CountSample[], nowMs: number): number | null {
  const last = samples.at(-1);
  if (last === undefined) return null;
  let start = last;
  for (const sample of samples.toReversed()) {
    start = sample;
    if (last.ended - sample.ended >= WINDOW_ENDS && nowMs - sample.at_ms >= WINDOW_MS) break;
  }
  const ends = last.ended - start.ended;
  const elapsed = nowMs - start.at_ms;
  if (ends < FEWEST_ENDS || elapsed < SHORTEST_MS) return null;
  const usualGap = (last.at_ms - start.at_ms) / ends;
  const burst = longestGap(samples, start.at_ms);
  const silence = nowMs - last.at_ms;
  if (silence > STALLED_MS && silence > STALLED_GAPS * usualGap && silence > 2 * burst) return null;
  return (ends / elapsed) * 1_000;
}

function longestGap(samples: readonly CountSample[], fromMs: number): number {
  let longest = 0;
  let before: number | null = null;
  for (const { at_ms } of samples) {
    if (at_ms < fromMs) continue;
    if (before !== null) longest = Math.max(longest, at_ms - before);
    before = at_ms;
  }
  return longest;
}

/** When one stage will have ended at this rate, by itself. */
export function expectStageEnd(stage: StageOutlook): ExpectedEnd | null {
  if (stage.remaining === 0 && stage.complete) return { remaining_ms: 0, at_least: false };
  if (stage.rate === null || stage.rate <= 0) return null;
  const remaining_ms = (stage.remaining / stage.rate) * 1_000;
  return remaining_ms > FURTHEST_MS ? null : { remaining_ms, at_least: !stage.complete };
}

/**
 * When all will have ended: along the longest way through the stages. What is not known yet makes it a lower
 * bound; where nothing is known there is no answer.
 */
export function expectEnd(stages: readonly StageOutlook[]): ExpectedEnd | null {
  const byKey = new Map(stages.map((stage) => [stage.key, stage]));
  const ends = new Map<string, number>();
  let known = false;
  let atLeast = false;
  const endOf = (stage: StageOutlook): number => {
    const found = ends.get(stage.key);
    if (found !== undefined) return found;
    // A plan with a cycle is never stored; this only ends the search whatever arrives.
    ends.set(stage.key, 0);
    const before = Math.max(
      0,
      ...stage.depends_on.map((key) => {
        const dependency = byKey.get(key);
        return dependency === undefined ? 0 : endOf(dependency);
      }),
    );
    const own = expectStageEnd(stage);
    if (own === null || own.at_least) atLeast = true;
    if (own !== null && own.remaining_ms > 0) known = true;
    const length = own?.remaining_ms ?? 0;
    const end = stage.begun ? Math.max(before, length) : before + length;
    ends.set(stage.key, end);
    return end;
  };
  const remaining_ms = Math.max(0, ...stages.map(endOf));
  return known && remaining_ms <= FURTHEST_MS ? { remaining_ms, at_least: atLeast } : null;
}

/** `about 4 min left`, `at least 2 h 10 min left`; no more exact than it can be. */
export function formatExpectedEnd({ remaining_ms, at_least }: ExpectedEnd): string {
  return `${at_least ? 'at least' : 'about'} ${formatRoughly(remaining_ms)} left`;
}

function formatRoughly(ms: number): string {
  const seconds = ms / 1_000;
  if (seconds < 57.5) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) {
    const rounded = Math.round(minutes / 5) * 5;
    const rest = rounded % 60;
    return `${Math.floor(rounded / 60)} h${rest === 0 ? '' : ` ${String(rest).padStart(2, '0')} min`}`;
  }
  return `${Math.round(minutes / (24 * 60))} days`;
}

/** `4.2/s`, `12/min`, `3/h`: in the unit that gives a number to remember. */
export function formatRate(perSecond: number): string {
  for (const [unit, factor] of [
    ['s', 1],
    ['min', 60],
  ] as const) {
    const value = perSecond * factor;
    if (value >= 0.95) return `${value < 9.95 ? trimZero(value.toFixed(1)) : Math.round(value)}/${unit}`;
  }
  const perHour = perSecond * 3_600;
  return `${perHour < 9.95 ? trimZero(perHour.toFixed(1)) : Math.round(perHour)}/h`;
}

const trimZero = (text: string) => text.replace(/\.0$/, '');
