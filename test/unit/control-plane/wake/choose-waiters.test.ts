import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Demand } from '../../../../control-plane/src/store/queries/read-demand.ts';
import { chooseWaiters } from '../../../../control-plane/src/wake/choose-waiters.ts';

type Agent = Demand['agents'][number];

const agent = (name: string, change: Partial<Agent> = {}): Agent => ({
  name,
  labels: [],
  storage: 'disk',
  has_stops: false,
  is_draining: false,
  leased: 0,
  ...change,
});
const lane = (ready: number, change: Partial<Demand['lanes'][number]> = {}) => ({
  ready,
  labels: [],
  storage: null,
  ...change,
});
const waiters = (...names: string[]) => names.map((name) => ({ agent: name, slots: 2 }));
const choose = (free: ReturnType<typeof waiters>, demand: Partial<Demand>) =>
  chooseWaiters(free, { lanes: [], agents: [], expired: false, ...demand }).map((waiter) => waiter.agent);

test('wakes those who have waited longest, as many as there is work for', () => {
  const agents = ['a', 'b', 'c'].map((name) => agent(name));
  expect(choose(waiters('a', 'b', 'c'), { lanes: [lane(3)], agents })).toEqual(['a', 'b']);
});

test('free slots that one lane leaves serve the next one', () => {
  const agents = ['a', 'b'].map((name) => agent(name));
  expect(choose(waiters('a', 'b'), { lanes: [lane(1), lane(1)], agents })).toEqual(['a']);
});

test('what an agent holds takes up its slots', () => {
  const agents = [agent('a', { leased: 2 }), agent('b', { leased: 1 }), agent('c')];
  expect(choose(waiters('a', 'b', 'c'), { lanes: [lane(2)], agents })).toEqual(['b', 'c']);
});

test('nobody comes when nothing is ready', () => {
  expect(choose(waiters('a'), { agents: [agent('a')] })).toEqual([]);
});

test('an agent without a label, or with another storage, is left asleep', () => {
  const agents = [agent('a'), agent('b', { labels: ['a100', 'big'] }), agent('c', { storage: 'other' })];
  const lanes = [lane(9, { labels: ['a100'] }), lane(9, { storage: 'other' })];
  expect(choose(waiters('a', 'b', 'c'), { lanes, agents })).toEqual(['b', 'c']);
});

test('a stop wakes its agent even without a free slot', () => {
  const agents = [agent('a', { leased: 1 }), agent('b', { leased: 1, has_stops: true })];
  const full = [
    { agent: 'a', slots: 1 },
    { agent: 'b', slots: 1 },
  ];
  expect(choose(full, { lanes: [lane(5)], agents })).toEqual(['b']);
});

test('one comes to take back what a dead agent holds', () => {
  expect(choose(waiters('a', 'b'), { expired: true, agents: [agent('a'), agent('b')] })).toEqual(['a']);
});

test('an agent that is not known any more comes to be told so', () => {
  expect(choose(waiters('gone'), {})).toEqual(['gone']);
});

test('never more are woken than there are ready tasks, and never too few', () => {
  const frees = fc.array(fc.nat(4), { maxLength: 30 });
  const readies = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 });
  fc.assert(
    fc.property(frees, readies, (free, ready) => {
      const waiting = free.map((slots, index) => ({ agent: `a${index}`, slots }));
      const chosen = chooseWaiters(waiting, {
        lanes: ready.map((count) => lane(count)),
        agents: waiting.map((each) => agent(each.agent)),
        expired: false,
      });
      const tasks = ready.reduce((sum, count) => sum + count, 0);
      const all = free.reduce((sum, slots) => sum + slots, 0);
      const room = chosen.reduce((sum, each) => sum + each.slots, 0);
      expect(chosen.length).toBeLessThanOrEqual(tasks);
      expect(room).toBeGreaterThanOrEqual(Math.min(tasks, all));
    }),
  );
});
