import { expect, test } from 'vitest';
import { parseSecrets } from '../../../agent/src/exec/read-secrets.ts';

const parse = (text: string) => Object.fromEntries(parseSecrets(text, 'secrets.env'));

test('a secrets file has names and values, as shells write them', () => {
  expect(parse('# a comment\n\n A = b c \r\nexport TOKEN=x=y#z\nEMPTY=\n')).toEqual({
    A: 'b c',
    TOKEN: 'x=y#z',
    EMPTY: '',
  });
  expect(parse('KEY="line 1\nline \\"2\\"\\nline 3"\nRAW=\'a"\n\\n\'\nLAST=1')).toEqual({
    KEY: 'line 1\nline "2"\nline 3',
    RAW: 'a"\n\\n',
    LAST: '1',
  });
});

test('a line that is none is named by its number, and not shown', () => {
  expect(() => parse('A=1\nhf_secret_token\n')).toThrow('line 2 of secrets.env is not NAME=value');
  expect(() => parse('A=1\nhf_secret_token\n')).not.toThrow('hf_');
});
