/**
 * Where a text stops being JSON. JSON.parse names no position for most errors, and a person with a list of
 * 10,000 items needs one. Only called for texts that JSON.parse has refused.
 */
export function findJsonError(text: string): { line: number; column: number; message: string } {
  const { offset, message } = scan(text);
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n'), message };
}

const SPACE = /[ \t\n\r]*/y;
// Unrolled, so that a string of megabytes neither fills the matcher's stack nor backtracks.
const SCALAR =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside strings
  /(?:"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

/** What may come next; the stack holds the closing bracket of every open list and object. */
type Expecting = 'value' | 'value_or_close' | 'key' | 'key_or_close' | 'colon' | 'comma_or_close' | 'end';

const WANTED: Readonly<Record<Expecting, string>> = {
  value: 'a value',
  value_or_close: 'a value or ]',
  key: 'a name in double quotes',
  key_or_close: 'a name in double quotes or }',
  colon: 'a colon',
  comma_or_close: 'a comma or the closing bracket',
  end: 'the end of the file',
};

function scan(text: string): { offset: number; message: string } {
  const open: ('}' | ']')[] = [];
  let expecting: Expecting = 'value';
  let at = 0;
  for (;;) {
    at = matchAt(SPACE, text, at) ?? at;
    const char = text[at];
    if (char === undefined)
      return { offset: at, message: `the file ends where ${WANTED[expecting]} should be` };
    const next = step(text, at, expecting, open);
    if (next === null)
      return { offset: at, message: `${JSON.stringify(char)} where ${WANTED[expecting]} should be` };
    at = next.at;
    expecting = next.expecting;
  }
}

function step(
  text: string,
  at: number,
  expecting: Expecting,
  open: ('}' | ']')[],
): { at: number; expecting: Expecting } | null {
  const char = text[at];
  const afterValue = (): Expecting => (open.length === 0 ? 'end' : 'comma_or_close');
  const mayClose =
    expecting === 'value_or_close' || expecting === 'key_or_close' || expecting === 'comma_or_close';
  if (mayClose && char === open.at(-1)) {
    open.pop();
    return { at: at + 1, expecting: afterValue() };
  }
  if (expecting === 'comma_or_close') {
    return char === ',' ? { at: at + 1, expecting: open.at(-1) === '}' ? 'key' : 'value' } : null;
  }
  if (expecting === 'colon') return char === ':' ? { at: at + 1, expecting: 'value' } : null;
  if (expecting === 'end') return null;
  const isKey = expecting === 'key' || expecting === 'key_or_close';
  if (!isKey && (char === '{' || char === '[')) {
    open.push(char === '{' ? '}' : ']');
    return { at: at + 1, expecting: char === '{' ? 'key_or_close' : 'value_or_close' };
  }
  if (isKey && char !== '"') return null;
  const end = matchAt(SCALAR, text, at);
  return end === null ? null : { at: end, expecting: isKey ? 'colon' : afterValue() };
}

function matchAt(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}
