import { expect, test } from 'vitest';
import { TerminalFilter } from '../../../agent/src/client/terminal-filter.ts';

const ESC = '\u001b';

test('colours, tabs and carriage returns pass; what takes over a terminal does not', () => {
  const filter = new TerminalFilter();
  const text = `${ESC}[31mred${ESC}[0m\tbar\r50%\n${ESC}[2J${ESC}]0;title\u0007${ESC}[6n${ESC}c\u0007\u009b31mx${ESC}P1;2q${ESC}\\y`;
  expect(filter.push(text)).toBe(`${ESC}[31mred${ESC}[0m\tbar\r50%\n31mxy`);
  expect(filter.end()).toBe(`${ESC}[0m`);
});

test('a sequence that is cut between two pieces is judged as a whole', () => {
  for (const sequence of [`${ESC}[2J`, `${ESC}]52;c;AAAA\u0007`, `${ESC}[31m`]) {
    for (let cut = 1; cut < sequence.length; cut++) {
      const filter = new TerminalFilter();
      const shown = filter.push(`a${sequence.slice(0, cut)}`) + filter.push(`${sequence.slice(cut)}b`);
      expect(shown).toBe(sequence.endsWith('m') ? `a${sequence}b` : 'ab');
    }
  }
});

test('a sequence without an end holds nothing back for ever', () => {
  const filter = new TerminalFilter();
  expect(filter.push(`${ESC}]0;`)).toBe('');
  expect(filter.push('x'.repeat(1_000))).toBe('');
  expect(filter.push('after')).toBe('after');
  expect(filter.end()).toBe('');
});
