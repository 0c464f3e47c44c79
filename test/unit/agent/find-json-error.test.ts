import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findJsonError } from '../../../agent/src/exec/find-json-error.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('names a place within the text, whatever is wrong with it', () => {
  const damaged = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom('', ',', '}', ']', '"', 'x', ':', '\\', '\n', '0'),
  );
  fc.assert(
    fc.property(damaged, ([json, place, insert]) => {
      const at = place % (json.length + 1);
      const text = insert === '' ? json.slice(0, at) : json.slice(0, at) + insert + json.slice(at);
      fc.pre(!isJson(text));
      const { line, column } = findJsonError(text);
      const lines = text.split('\n');
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeLessThanOrEqual((lines[line - 1] ?? '').length + 1);
    }),
  );
});

test.each([
  ['', 1, 1, 'the file ends where a value should be'],
  ['[1, 2', 1, 6, 'the file ends where a comma or the closing bracket should be'],
  ['{"a": tru}', 1, 7, '"t" where a value should be'],
  ['{"a" 1}', 1, 6, '"1" where a colon should be'],
  ["{'a': 1}", 1, 2, `"'" where a name in double quotes or } should be`],
  ['[1,\n 2 3]', 2, 4, '"3" where a comma or the closing bracket should be'],
  ['{"a":1}\n{"a":2}', 2, 1, '"{" where the end of the file should be'],
  ['["a\nb"]', 1, 2, '"\\"" where a value or ] should be'],
  ['[1]]', 1, 4, '"]" where the end of the file should be'],
])('%j', (text, line, column, message) => {
  expect(findJsonError(text)).toEqual({ line, column, message });
});

test('a string of 20 MB before the error is no trouble', () => {
  expect(findJsonError(`["${'x'.repeat(20_000_000)}", }`)).toMatchObject({ line: 1, column: 20_000_006 });
});
