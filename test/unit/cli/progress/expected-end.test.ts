import { describe, expect, it } from 'vitest';
import {
  addSample,
  type CountSample,
  expectEnd,
  expectStageEnd,
  formatExpectedEnd,
  formatRate,
  recentRate,
  type StageOutlook,
} from '../../../../agent/src/client/progress/expected-end.ts';

/** `[seconds, ended]` pairs as a watcher would have seen them. */
function seen(...looks: [number, number][]): readonly CountSample[] {
  return looks.reduce<readonly CountSample[]>(
    (samples, [at, ended]) => addSample(samples, { at_ms: at * 1_000, ended }),
    [],
  );
}
const every = (seconds: number, count: number, from = 0, ended = 0) =>
  Array.from({ length: count }, (_, index): [number, number] => [from + index * seconds, ended + index]);

function stage(key: string, rest: Partial<StageOutlook> = {}): StageOutlook {
  return { key, depends_on: [], remaining: 0, rate: null, complete: true, begun: true, ...rest };
}

describe('the recent rate', () => {
  it('is not said of a few ends, or of a moment', () => {
    expect(recentRate([], 0)).toBeNull();
    expect(recentRate(seen(...every(10, 4)), 30_000)).toBeNull();
    expect(recentRate(seen(...every(0.1, 20)), 2_000)).toBeNull();
  });

  it('is what was done in the time it took', () => {
    expect(recentRate(seen(...every(2, 31)), 60_000)).toBeCloseTo(0.5);
  });

  it('follows the last minutes: a slow start is forgotten', () => {
    const slow = every(30, 20);
    const fast = every(0.5, 400, 600, 20);
    expect(recentRate(seen(...slow, ...fast), 799_500)).toBeCloseTo(2, 1);
  });

  it('is not taken from one burst of machines that began together', () => {
    const bursts = seen([0, 0], [60, 7], [61, 8], [120, 15], [121, 16]);
    expect(recentRate(bursts, 121_000)).toBeCloseTo(16 / 121, 2);
    expect(recentRate(seen([0, 0], [60, 7], [61, 8]), 61_000)).toBeCloseTo(8 / 61, 2);
  });

  it('falls while nothing ends, and is not said any more when that goes on', () => {
    const samples = seen(...every(1, 61));
    expect(recentRate(samples, 60_000)).toBeCloseTo(1);
    expect(recentRate(samples, 90_000)).toBeCloseTo(0.5);
    expect(recentRate(samples, 160_000)).toBeNull();
  });

  it('begins anew when tasks are retried', () => {
    expect(seen(...every(1, 10), [20, 3])).toEqual([{ at_ms: 20_000, ended: 3 }]);
  });

  it('does not keep more looks than it needs', () => {
    expect(seen(...every(1, 2_000))).toHaveLength(500);
  });
});

describe('the expected end', () => {
  it('of one stage is what remains at its rate; a list that is still being read makes it a lower bound', () => {
    expect(expectStageEnd(stage('a', { remaining: 30, rate: 0.5 }))).toEqual({
      remaining_ms: 60_000,
      at_least: false,
    });
    expect(expectStageEnd(stage('a', { remaining: 30, rate: 0.5, complete: false }))?.at_least).toBe(true);
    expect(expectStageEnd(stage('a', { remaining: 30 }))).toBeNull();
    expect(expectStageEnd(stage('a', { remaining: 3_000_000, rate: 0.000_1 }))).toBeNull();
  });

  it('is not said when no rate is known', () => {
    expect(expectEnd([stage('a', { remaining: 3 }), stage('b', { remaining: 1, begun: false })])).toBeNull();
    expect(expectEnd([])).toBeNull();
  });

  it('counts stages that run beside each other once, and those after them in turn', () => {
    const beside = [stage('a', { remaining: 10, rate: 1 }), stage('b', { remaining: 60, rate: 2 })];
    expect(expectEnd(beside)).toEqual({ remaining_ms: 30_000, at_least: false });
    const after = [...beside, stage('c', { depends_on: ['a', 'b'], remaining: 5, rate: 0.5, begun: false })];
    expect(expectEnd(after)).toEqual({ remaining_ms: 40_000, at_least: false });
  });

  it('of a stage that follows item by item is not added', () => {
    const items = [
      stage('a', { remaining: 10, rate: 1 }),
      stage('b', { depends_on: ['a'], remaining: 12, rate: 1 }),
    ];
    expect(expectEnd(items)).toEqual({ remaining_ms: 12_000, at_least: false });
  });

  it('is a lower bound while a stage has not shown its speed', () => {
    const stages = [
      stage('a', { remaining: 10, rate: 1 }),
      stage('b', { depends_on: ['a'], remaining: 1, begun: false }),
    ];
    expect(expectEnd(stages)).toEqual({ remaining_ms: 10_000, at_least: true });
    const unread = [
      stage('a', { remaining: 10, rate: 1 }),
      stage('b', { depends_on: ['a'], complete: false, begun: false }),
    ];
    expect(expectEnd(unread)?.at_least).toBe(true);
  });

  it('ends its search whatever the dependencies are', () => {
    const ring = [
      stage('a', { depends_on: ['b'], remaining: 1, rate: 1 }),
      stage('b', { depends_on: ['a', 'nowhere'] }),
    ];
    expect(expectEnd(ring)?.remaining_ms).toBe(1_000);
  });

  it('is told no more exactly than it is known', () => {
    const told = (seconds: number, at_least = false) =>
      formatExpectedEnd({ remaining_ms: seconds * 1_000, at_least });
    expect([1, 42, 58, 250, 7_800, 86_400 * 3].map((seconds) => told(seconds))).toEqual([
      'about 5 s left',
      'about 40 s left',
      'about 1 min left',
      'about 4 min left',
      'about 2 h 10 min left',
      'about 3 days left',
    ]);
    expect(told(3_600, true)).toBe('at least 1 h left');
    expect([120, 4.2, 1, 0.2, 0.016, 0.002].map(formatRate)).toEqual([
      '120/s',
      '4.2/s',
      '1/s',
      '12/min',
      '1/min',
      '7.2/h',
    ]);
  });
});
