import type { Code, Heading, Paragraph, PhrasingContent } from 'mdast';
import { type FieldValue, trimValue, ValueBuilder } from './field-value.ts';
import { nodeRange } from './read-markdown.ts';
import type { SourceText } from './source-text.ts';

/** A value in a line of text, from an offset in a paragraph or heading to its end. */
export function readInlineValue(
  source: SourceText,
  block: Paragraph | Heading,
  from: number,
): { value: FieldValue; remark: string | null; spans: readonly FieldValue[] } {
  const rest = block.children.filter((node) => nodeRange(node).end > from);
  const visible = rest.filter((node) => !isComment(node) && !isBlank(source, node, from));
  const [first] = visible;
  const spans = visible.flatMap((node) => (node.type === 'inlineCode' ? [readCodeSpan(source, node)] : []));
  const span = spans[0];
  if (first?.type === 'inlineCode' && visible.length === 1 && span !== undefined) {
    return { value: span, remark: null, spans };
  }
  const value = readPlain(source, block, rest, from);
  const remark = first?.type === 'inlineCode' ? value.text.slice(value.text.indexOf('`')) : null;
  return { value, remark, spans };
}

function isComment(node: PhrasingContent): boolean {
  return node.type === 'html' && node.value.startsWith('<!--');
}

function isBlank(source: SourceText, node: PhrasingContent, from: number): boolean {
  const { start, end } = nodeRange(node);
  return node.type === 'text' && source.text.slice(Math.max(start, from), end).trim() === '';
}

/** The source as it stands, minus comments: emphasis would eat the characters of globs and `__init__`. */
function readPlain(
  source: SourceText,
  block: Paragraph | Heading,
  rest: readonly PhrasingContent[],
  from: number,
): FieldValue {
  const builder = new ValueBuilder();
  const end = nodeRange(block.children.at(-1) ?? block).end;
  let start = from;
  for (const node of rest) {
    if (!isComment(node)) continue;
    const range = nodeRange(node);
    addLines(builder, source, start, range.start, '\n');
    start = Math.max(start, range.end);
  }
  addLines(builder, source, start, end, '\n');
  return trimValue(builder.build('plain'));
}

/** Adds source text; the indentation of continued lines belongs to the list, not to the value. */
function addLines(
  builder: ValueBuilder,
  source: SourceText,
  start: number,
  end: number,
  line_end: string,
): void {
  if (end <= start) return;
  const pattern = /[ \t]*(\r\n|\r|\n)[ \t]*/g;
  pattern.lastIndex = start;
  let from = start;
  for (
    let match = pattern.exec(source.text);
    match !== null && match.index < end;
    match = pattern.exec(source.text)
  ) {
    // A trailing space before the line end is kept out; a backslash there continues a command and stays.
    builder.add(source.text.slice(from, match.index), from);
    builder.add(line_end, match.index);
    from = match.index + match[0].length;
  }
  if (from < end) builder.add(source.text.slice(from, end), from);
}

function readCodeSpan(source: SourceText, node: PhrasingContent): FieldValue {
  const { start, end } = nodeRange(node);
  const ticks = /^`+/.exec(source.text.slice(start, end))?.[0].length ?? 1;
  const builder = new ValueBuilder();
  addCodeLines(builder, source, start + ticks, end - ticks);
  const value = builder.build('code');
  // One space on both sides keeps a backtick off the fence and is not part of the code.
  const padded = value.text.startsWith(' ') && value.text.endsWith(' ') && value.text.trim() !== '';
  return padded ? trimOnce(value) : value;
}

function addCodeLines(builder: ValueBuilder, source: SourceText, start: number, end: number): void {
  const pattern = /(\r\n|\r|\n)[ \t]*/g;
  pattern.lastIndex = start;
  let from = start;
  for (
    let match = pattern.exec(source.text);
    match !== null && match.index < end;
    match = pattern.exec(source.text)
  ) {
    builder.add(source.text.slice(from, match.index), from);
    builder.add(' ', match.index);
    from = match.index + match[0].length;
  }
  if (from < end) builder.add(source.text.slice(from, end), from);
}

function trimOnce(value: FieldValue): FieldValue {
  return {
    ...value,
    text: value.text.slice(1, -1),
    runs: value.runs.map((run) =>
      run.at === 0 ? { at: 0, source: run.source + 1 } : { at: run.at - 1, source: run.source },
    ),
  };
}

/** The content of a fenced or indented code block. */
export function readCodeBlock(source: SourceText, node: Code): FieldValue {
  const builder = new ValueBuilder();
  const { start } = nodeRange(node);
  const line = source.positionAt(start).line;
  const first = /^[`~]{3}/.test(source.text.slice(start, start + 3)) ? line + 1 : line;
  const lines = node.value.split(/\r\n|\r|\n/);
  for (const [index, text] of lines.entries()) {
    const from = source.offsetAt(first + index);
    const whole = source.text.slice(from, source.offsetAt(first + index + 1)).replace(/[\r\n]+$/, '');
    const indent = Math.max(0, whole.length - text.length);
    builder.add(index + 1 < lines.length ? `${text}\n` : text, from + indent);
  }
  return builder.build('fence');
}
