import type { List, ListItem, Paragraph, RootContent } from 'mdast';
import { type FieldValue, sliceValue, sourceOffset, trimValue } from './field-value.ts';
import { nodeRange } from './read-markdown.ts';
import { readCodeBlock, readInlineValue } from './read-value.ts';
import type { SourceEdit } from './source-edits.ts';
import type { SourceText } from './source-text.ts';
import { fieldNames } from './task-fields.ts';

/** One `- **key**: value`. */
export interface RawField {
  /** Lower case, with underscores. */
  readonly key: string;
  readonly written_key: string;
  readonly key_offset: number;
  /** Of the bullet, and where what belongs to it ends. */
  readonly offset: number;
  readonly end: number;
  readonly value: FieldValue;
  /** Inline code followed by prose: the code alone. */
  readonly code_before_remark: FieldValue | null;
  /** Pieces of inline code in the prose behind. */
  readonly more_code: number;
}

/** The fields of a task, with those that come too late to belong to it. */
export interface FieldList {
  readonly fields: readonly RawField[];
  readonly late: readonly RawField[];
  readonly near: readonly NearField[];
}

/** A line that names a field and is none, and what it needs to be one. */
export interface NearField {
  readonly key: string;
  readonly offset: number;
  readonly missing: 'bullet' | 'colon';
  readonly edit: SourceEdit;
}

/** Reads the field list among the blocks under a heading; prose after it and `####` end it. */
export function readFieldList(source: SourceText, blocks: readonly RootContent[]): FieldList {
  const fields: RawField[] = [];
  const late: RawField[] = [];
  const near: NearField[] = [];
  let ended = false;
  for (const block of blocks) {
    if (block.type === 'list') {
      const read = readListFields(source, block);
      if (ended) late.push(...read);
      else {
        near.push(...block.children.flatMap((item) => findNearField(source, item) ?? []));
        fields.push(...read.map((field) => cutAtLostBullet(source, field, near)));
      }
    } else if (block.type === 'code' && !ended && isEmpty(fields.at(-1))) {
      // A fence that its author forgot to indent.
      const last = fields.pop();
      if (last !== undefined)
        fields.push({ ...last, value: readCodeBlock(source, block), end: nodeRange(block).end });
    } else if (block.type === 'heading') {
      break;
    } else if (block.type !== 'html' && block.type !== 'thematicBreak' && fields.length > 0) {
      ended = true;
    }
  }
  return { fields, late, near };
}

function isEmpty(field: RawField | undefined): boolean {
  return field !== undefined && field.value.text === '' && field.value.lines.length === 0;
}

const names = fieldNames.join('|');
const nearKey = new RegExp(`([*_\`]{0,2})[ \\t]*(${names})[ \\t]*([*_\`]{0,2})[ \\t]*(:?)[ \\t]*`, 'iy');
const lostBullet = new RegExp(`\\n(?=(\\*\\*|__|\`)(${names})(?::\\1|\\1:))`, 'i');

/** `- **command** echo` and `- **command*: echo`: a bullet that begins with a field's name in marks, but is no field. */
function findNearField(source: SourceText, item: ListItem): NearField | null {
  const [first] = item.children;
  if (first?.type !== 'paragraph' || readField(source, item) !== null) return null;
  const { start, end } = nodeRange(first);
  const match = matchAt(nearKey, source.text, start);
  if (match === null || start + match[0].length > end) return null;
  const [written, before, key = '', after, colon] = match;
  if (colon === '' && (before === '' || after !== before)) return null;
  return {
    key: key.toLowerCase(),
    offset: nodeRange(item).start,
    missing: 'colon',
    edit: { start, end: start + written.length, replacement: `**${key}**: ` },
  };
}

/** The value up to a line that was to be the next field and lost its bullet. */
function cutAtLostBullet(source: SourceText, field: RawField, near: NearField[]): RawField {
  const match = field.value.form === 'plain' ? lostBullet.exec(field.value.text) : null;
  if (match === null) return field;
  const key_offset = sourceOffset(field.value, match.index + 1);
  const line = source.offsetAt(source.positionAt(key_offset).line);
  const own = source.offsetAt(source.positionAt(field.offset).line);
  near.push({
    key: (match[2] ?? '').toLowerCase(),
    offset: key_offset,
    missing: 'bullet',
    edit: { start: line, end: key_offset, replacement: `${source.text.slice(own, field.offset)}- ` },
  });
  return { ...field, value: trimValue(sliceValue(field.value, 0, match.index)), code_before_remark: null };
}

/** The fields among the items of one list. */
function readListFields(source: SourceText, list: List): RawField[] {
  return list.children.flatMap((item) => readField(source, item) ?? []);
}

function readField(source: SourceText, item: ListItem): RawField | null {
  const [first, ...others] = item.children.filter((block) => block.type !== 'html');
  if (first?.type !== 'paragraph') return null;
  const key = readKey(source, first);
  if (key === null) return null;
  const inline = readInlineValue(source, first, key.value_offset);
  const nested = inline.value.text === '' ? readNested(source, others, inline.value) : inline.value;
  return {
    key: key.written.toLowerCase().replace(/[\s-]+/g, '_'),
    written_key: key.written,
    key_offset: key.offset,
    offset: nodeRange(item).start,
    end: nodeRange(item).end,
    value: nested,
    code_before_remark: inline.remark === null ? null : (inline.spans[0] ?? null),
    more_code: inline.remark === null ? 0 : inline.spans.length - 1,
  };
}

interface Key {
  readonly written: string;
  readonly offset: number;
  readonly value_offset: number;
}

/** `**key**:`, `**key:**`, `` `key`: `` or `key:` at the start of a paragraph. */
function readKey(source: SourceText, paragraph: Paragraph): Key | null {
  const { start, end } = nodeRange(paragraph);
  const match = matchAt(markedKey, source.text, start) ?? matchAt(plainKey, source.text, start);
  if (match === null || start + match[0].length > end) return null;
  const written = match.groups?.['key'] ?? '';
  return { written, offset: source.text.indexOf(written, start), value_offset: start + match[0].length };
}

const markedKey =
  /(?<mark>\*\*|__|`|\*|_)[ \t]*(?<key>\p{L}[\p{L}\p{N}_ -]*?)[ \t]*(?:[:：][ \t]*\k<mark>|\k<mark>[ \t]*[:：])[ \t]*/uy;
const plainKey = /(?<key>\p{L}[\p{L}\p{N}_ -]*?)[ \t]*[:：][ \t]*/uy;

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}

/** What stands beneath a field without a value: a fence, or bullets. */
function readNested(source: SourceText, blocks: readonly RootContent[], empty: FieldValue): FieldValue {
  const [first] = blocks;
  if (first?.type === 'code') return readCodeBlock(source, first);
  if (first?.type === 'paragraph') return readInlineValue(source, first, nodeRange(first).start).value;
  if (first?.type !== 'list') return empty;
  const lines = first.children.flatMap((item) => {
    const paragraph = item.children.find((block) => block.type === 'paragraph');
    if (paragraph === undefined) return [];
    return [trimValue(readInlineValue(source, paragraph, nodeRange(paragraph).start).value)];
  });
  return { ...empty, form: 'lines', lines, text: '', runs: lines[0]?.runs ?? empty.runs };
}
