import { expect, test } from 'vitest';
import { readLabels } from '../../../agent/src/client/read-labels.ts';

test('labels are taken once each, whether repeated or with commas', () => {
  expect(readLabels('--labels', ['a100, big-disk', 'a100', ''])).toEqual(['a100', 'big-disk']);
});

test.each(['a b', '-x', 'ä', 'x'.repeat(101)])('%s is refused: no plan could ask for it', (label) => {
  expect(() => readLabels('--labels', [label])).toThrow(`--labels "${label}" cannot be a label`);
});
