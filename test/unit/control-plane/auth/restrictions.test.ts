import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob } from '../../../../control-plane/src/auth/restrictions.ts';

test.each([
  ['invoice*', 'invoice_processor', true],
  ['invoice*', 'my invoice', false],
  ['*', '', true],
  ['', '', true],
  ['', 'a', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['*.md', 'a.md.md', true],
  ['a.c', 'abc', false],
  ['[ab]', 'a', false],
])('%s on %s: %s', (glob, text, matches) => {
  expect(matchesGlob(glob, text)).toBe(matches);
});

test('agrees with the regular expression of the same meaning', () => {
  const glob = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((parts) => parts.join(''));
  const text = fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(glob, text, (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      return matchesGlob(pattern, name) === expression.test(name);
    }),
  );
});

test('a glob of many stars takes no exponential time', () => {
  expect(matchesGlob(`${'*a'.repeat(100)}b`, 'a'.repeat(5_000))).toBe(false);
});
