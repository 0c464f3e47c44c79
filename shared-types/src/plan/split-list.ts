import type { FieldValue } from './field-value.ts';
import { sliceValue, trimValue } from './field-value.ts';

/** The entries of a list field: bullets, a JSON array, or text between commas and line ends. */
export function splitList(value: FieldValue): FieldValue[] {
  if (value.form === 'lines') return value.lines.flatMap((line) => splitList(line));
  const trimmed = trimValue(value);
  const inside = /^\[[\s\S]*\]$/.test(trimmed.text)
    ? sliceValue(trimmed, 1, trimmed.text.length - 1)
    : trimmed;
  return splitAtCommas(inside)
    .map((entry) => unquote(trimValue(entry)))
    .filter((entry) => entry.text !== '');
}

/** Commas within braces belong to a glob: `{a,b}.txt`. */
function splitAtCommas(value: FieldValue): FieldValue[] {
  const entries: FieldValue[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < value.text.length; at += 1) {
    const char = value.text[at];
    if (char === '{') depth += 1;
    else if (char === '}') depth = Math.max(0, depth - 1);
    else if ((char === ',' && depth === 0) || char === '\n') {
      entries.push(sliceValue(value, start, at));
      start = at + 1;
      depth = 0;
    }
  }
  entries.push(sliceValue(value, start, value.text.length));
  return entries;
}

function unquote(value: FieldValue): FieldValue {
  const match = /^(["'`]+)([\s\S]*)\1$/.exec(value.text);
  if (match === null) return value;
  const mark = match[1]?.length ?? 0;
  return sliceValue(value, mark, value.text.length - mark);
}
