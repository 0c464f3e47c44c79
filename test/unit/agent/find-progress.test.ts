import { expect, test } from 'vitest';
import { findProgress } from '../../../agent/src/exec/find-progress.ts';

test.each([
  ['::progress 0.42 half the files', { fraction: 0.42, text: 'half the files' }],
  ['a\n::progress 1\nb', { fraction: 1, text: null }],
  ['::progress 0.1 a\n::progress 0.2 b\nmore', { fraction: 0.2, text: 'b' }],
  ['loading 10%\rloading 42%\r', { fraction: 0.42, text: null }],
  ['epoch 1: 37.5 %  ', { fraction: 0.375, text: null }],
  [' 64%|######    | 64/100 [00:01<00:00]', { fraction: 0.64, text: null }],
  ['\u001b[32m 8%\u001b[0m', { fraction: 0.08, text: null }],
])('%j says how far the task is', (text, progress) => {
  expect(findProgress(text)).toEqual(progress);
});

test.each([
  '',
  '42',
  '::progress',
  '::progress 7 too far',
  'a 50% discount',
  '420%',
  '::progress -1 x',
  '12.3.4%',
])('%j does not', (text) => {
  expect(findProgress(text)).toBeNull();
});
