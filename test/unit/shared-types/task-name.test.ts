import { ItemNames, itemName, taskName } from '@planfleet/shared-types';
import { expect, test } from 'vitest';

const of = (item: unknown, ordinal = 7, nth: number | null = null) =>
  taskName('cut', { ordinal, group_size: 1, list_count: 100, item, nth });

test.each([
  [{ id: 'clip-7.mp4' }, 'cut_clip-7.mp4'],
  [{ id: 12 }, 'cut_12'],
  [{ id: 'Käse_東京' }, 'cut_Käse_東京'],
  [{ id: '' }, 'cut_7'],
  [{ id: { a: 1 } }, 'cut_7'],
  [{ name: 'x' }, 'cut_7'],
  ['text', 'cut_7'],
  [null, 'cut_7'],
])('%j is %s', (item, name) => {
  expect(of(item)).toBe(name);
});

test.each([
  ['a/b c', /^a_b_c_[0-9a-f]{8}$/],
  ['../../etc/passwd', /^\.\._\.\._etc_passwd_[0-9a-f]{8}$/],
  ['..', /^\.\._[0-9a-f]{8}$/],
  ['x\n\u0000\u001b[31my', /^x_31my_[0-9a-f]{8}$/],
  ["it's; rm -rf $HOME", /^it_s_rm_-rf_HOME_[0-9a-f]{8}$/],
  ['\ud800', /^_[0-9a-f]{8}$|^__[0-9a-f]{8}$/],
])('the id %j is made safe', (id, expected) => {
  expect(itemName({ id }, 0)).toMatch(expected);
});

test('an id over 80 characters is shortened, and two of them stay apart', () => {
  const long = 'ä'.repeat(200);
  const names = [itemName({ id: `${long}1` }, 0), itemName({ id: `${long}2` }, 0)];
  expect(names.map((name) => name.length)).toEqual([80, 80]);
  expect(new Set(names).size).toBe(2);
  expect(itemName({ id: 'ä'.repeat(80) }, 0)).toBe('ä'.repeat(80));
});

test('ids that only look the same when made safe stay apart', () => {
  expect(itemName({ id: 'a/b' }, 0)).not.toBe(itemName({ id: 'a_b' }, 0));
  expect(itemName({ id: 'a/b' }, 0)).not.toBe(itemName({ id: 'a b' }, 0));
  expect(itemName({ id: 'a/b' }, 0)).toBe(itemName({ id: 'a/b' }, 5));
});

test('groups are named by the numbers of their first and last item', () => {
  const group = (ordinal: number, list_count: number, group_size = 4) =>
    taskName('cut', { ordinal, group_size, list_count, item: null, nth: null });
  expect(group(0, 10)).toBe('cut_batch_0001_0004');
  expect(group(2, 10)).toBe('cut_batch_0009_0010');
  expect(group(99, 100_000, 1_000)).toBe('cut_batch_99001_100000');
  expect(taskName('cut', null)).toBe('cut');
});

test('repeats are found over chunks, and their numbers never make another name', () => {
  const names = new ItemNames();
  const ids = (...all: unknown[]) => all.map((id) => ({ id }));
  expect(names.findRepeats(ids('a', 'b', 'a', 'a_3'), 0)).toEqual([[2, 2]]);
  // a_3 is taken, so that the third a is a_4.
  expect(names.findRepeats(ids('a', 'a_2', 'c'), 4)).toEqual([
    [0, 4],
    [1, 2],
  ]);
});

test('an id that is the place of an item without one counts as a repeat', () => {
  const names = new ItemNames();
  expect(names.findRepeats([{}, {}, {}], 0)).toEqual([]);
  expect(names.findRepeats([{ id: 1 }, { id: '07' }, {}], 3)).toEqual([[0, 2]]);
});

test('100,000 items of one id are named at once', () => {
  const item = { id: 'same' };
  const repeats = new ItemNames().findRepeats(
    Array.from({ length: 100_000 }, () => item),
    0,
  );
  expect(repeats).toHaveLength(99_999);
  expect(repeats.at(-1)).toEqual([99_999, 100_000]);
});
