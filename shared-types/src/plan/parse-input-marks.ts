import type { InputKind } from './plan.ts';

/** What the parentheses of an input's description say. */
export interface InputMarks {
  readonly default: string | null;
  readonly required: boolean;
  readonly kind: InputKind;
}

const kinds: Readonly<Record<string, InputKind>> = {
  file: 'file',
  folder: 'folder',
  'output file': 'output_file',
  'output folder': 'output_folder',
};

/** Reads `(default: x)`, `(optional)`, `(required)`, `(file)` and their combinations. */
export function parseInputMarks(description: string): InputMarks {
  let value: string | null = null;
  let optional = false;
  let kind: InputKind = 'value';
  for (const group of findParentheses(description)) {
    const read = readGroup(group);
    value ??= read.default;
    optional ||= read.optional;
    kind = read.kind ?? kind;
  }
  const known = value ?? (optional ? '' : null);
  return { default: known, required: known === null, kind };
}

/** The contents of outer parentheses; those within inline code are not parentheses. */
function findParentheses(text: string): string[] {
  const groups: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '`') at = skipCode(text, at);
    else if (char === '(') {
      if (depth === 0) start = at + 1;
      depth += 1;
    } else if (char === ')' && depth > 0) {
      depth -= 1;
      if (depth === 0) groups.push(text.slice(start, at));
    }
  }
  return groups;
}

/** The last character of the inline code that starts here. */
function skipCode(text: string, at: number): number {
  const ticks = /`+/y;
  ticks.lastIndex = at;
  const fence = ticks.exec(text)?.[0] ?? '`';
  const close = text.indexOf(fence, at + fence.length);
  return close === -1 ? at + fence.length - 1 : close + fence.length - 1;
}

interface Group {
  readonly default: string | null;
  readonly optional: boolean;
  readonly kind: InputKind | null;
}

function readGroup(group: string): Group {
  let optional = false;
  let kind: InputKind | null = null;
  let rest = group.trim();
  for (;;) {
    const value = /^defaults?(?:\s+(?:is|to)\b|\s*[:=])\s*([\s\S]*)$/i.exec(rest);
    if (value !== null) {
      const read = readDefault(value[1] ?? '', /^defaults?\s+to\b/i.test(rest));
      return { default: read.text, optional: optional || read.optional, kind: read.kind ?? kind };
    }
    const mark = /^(optional|required|(?:output )?(?:file|folder))\s*(?:[,;]\s*|$)/i.exec(rest);
    if (mark === null) break;
    const word = (mark[1] ?? '').toLowerCase();
    optional ||= word === 'optional';
    kind = kinds[word] ?? kind;
    rest = rest.slice(mark[0].length);
  }
  return { default: null, optional: optional || /^optional\b/i.test(rest), kind };
}

/** The default up to the marks behind it; after "defaults to", up to a semicolon. */
function readDefault(text: string, to_semicolon: boolean): { text: string } & Omit<Group, 'default'> {
  const code = /^(`+)([\s\S]*?)\1(?!`)/.exec(text);
  if (code !== null) {
    const inside = (code[2] ?? '').replace(/^ ([\s\S]*[^ ][\s\S]*) $/, '$1');
    return { text: inside, ...readMarksBehind(text.slice(code[0].length)) };
  }
  const cut = to_semicolon ? (text.split(';', 1)[0] ?? '') : text;
  const marks = /(?:\s*,\s*(?:optional|required|(?:output )?(?:file|folder)))+\s*$/i.exec(cut);
  const value = (marks === null ? cut : cut.slice(0, marks.index)).trim();
  return { text: value === '""' || value === "''" ? '' : value, ...readMarksBehind(marks?.[0] ?? '') };
}

function readMarksBehind(text: string): Omit<Group, 'default'> {
  const words = text
    .toLowerCase()
    .split(/[,;]/)
    .map((word) => word.trim());
  const kind = words.map((word) => kinds[word]).find((found) => found !== undefined);
  return { optional: words.includes('optional'), kind: kind ?? null };
}
