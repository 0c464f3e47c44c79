import type { ListItem, RootContent } from 'mdast';
import { builtinVariables } from '../template/lookup-value.ts';
import type { DiagnosticList } from './diagnostic-list.ts';
import { parseInputMarks } from './parse-input-marks.ts';
import type { PlanInput } from './plan.ts';
import { holdsTask } from './read-headings.ts';
import { nodeRange } from './read-markdown.ts';
import { readInlineValue } from './read-value.ts';
import { allEdits, removeLines } from './source-edits.ts';
import type { SourceText } from './source-text.ts';
import type { Section } from './split-sections.ts';

/** An input before it is known whether anything uses it. */
export type DeclaredInput = Omit<PlanInput, 'used'> & {
  /** Of the bullet, its end, and the name in it. */
  readonly offset: number;
  readonly end: number;
  readonly name_offset: number;
};

/** A bullet whose name no placeholder can have. */
export interface RejectedInput {
  readonly name: string;
  /** The name in capitals; null when nothing is left of it. */
  readonly better: string | null;
  readonly offset: number;
  readonly name_offset: number;
}

/** The names that an input may not have. */
const reservedNames: ReadonlySet<string> = new Set([...builtinVariables, 'ITEM', 'ITEM_INDEX']);

/** Reads the lists of the section Inputs. */
export function readInputs(
  source: SourceText,
  sections: readonly Section[],
  found: DiagnosticList,
): { inputs: DeclaredInput[]; rejected: RejectedInput[] } {
  const rejected: RejectedInput[] = [];
  const inputs = new Map<string, DeclaredInput>();
  for (const block of sections.flatMap((section) => takeInputs(source, section.blocks))) {
    if (block.type !== 'list') continue;
    for (const item of block.children) {
      const input = readInput(source, item, rejected);
      if (input === null || rejectInput(input, inputs.get(input.name), found)) continue;
      inputs.set(input.name, input);
    }
  }
  return { inputs: [...inputs.values()], rejected };
}

/** Up to a heading with the fields of a task: the heading of Tasks is missing then. */
function takeInputs(source: SourceText, blocks: readonly RootContent[]): readonly RootContent[] {
  const end = blocks.findIndex(
    (block, index) => block.type === 'heading' && holdsTask(source, blocks.slice(index + 1, index + 4)),
  );
  return end === -1 ? blocks : blocks.slice(0, end);
}

function rejectInput(
  input: DeclaredInput,
  before: DeclaredInput | undefined,
  found: DiagnosticList,
): boolean {
  if (reservedNames.has(input.name)) {
    found.add({
      severity: 'warning',
      rule: 'builtin_as_input',
      subject: input.name,
      message: `${input.name} is set by planfleet and need not be listed; this input is ignored.`,
      offset: input.offset,
      hint: 'Remove it from Inputs.',
      edits: allEdits(removeLines(found.source, input.offset, input.end)),
    });
    return true;
  }
  if (before === undefined) return false;
  found.add({
    severity: 'warning',
    rule: 'duplicate_input',
    subject: input.name,
    message: `The input ${input.name} is listed in line ${before.position.line} already; that one counts.`,
    offset: input.offset,
    other_line: before.position.line,
    hint: 'Remove it, or give it another name.',
    edits: allEdits(removeLines(found.source, input.offset, input.end)),
  });
  return true;
}

/** `- **NAME**: description`, `` 1. `NAME` (description) `` or `- NAME: description`. */
function readInput(source: SourceText, item: ListItem, rejected: RejectedInput[]): DeclaredInput | null {
  const paragraph = item.children.find((block) => block.type === 'paragraph');
  if (paragraph === undefined) return null;
  const { start, end } = nodeRange(paragraph);
  const marked = /(\*\*|__|`|\*|_)[ \t{]*([A-Za-z_][\w-]*)[ \t}]*:?[ \t]*\1[ \t]*(?:[:：–—-][ \t]*)?/y;
  const plain = /\{?([A-Z][A-Z0-9_]*)\}?(?:[ \t]*[:：][ \t]*|[ \t]+(?=[(–—-])|$)/my;
  marked.lastIndex = start;
  plain.lastIndex = start;
  const byMark = marked.exec(source.text);
  const match = byMark ?? plain.exec(source.text);
  const name = byMark?.[2] ?? match?.[1];
  if (match === null) rejectWords(source, item, start, rejected);
  if (match === null || name === undefined || start + match[0].length > end) return null;
  const { start: offset, end: item_end } = nodeRange(item);
  const name_offset = source.text.indexOf(name, start);
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) {
    rejected.push({ name, better: makeName(name), offset, name_offset });
    return null;
  }
  const { value } = readInlineValue(source, paragraph, start + match[0].length);
  const description = value.form === 'code' ? `\`${value.text}\`` : value.text;
  const position = source.positionAt(offset);
  return { name, description, ...parseInputMarks(description), position, offset, end: item_end, name_offset };
}

/** `- **Model name**: description`: a name of several words, which is none, and not prose without a colon. */
function rejectWords(source: SourceText, item: ListItem, start: number, rejected: RejectedInput[]): void {
  const words =
    /(\*\*|__|`)([A-Za-z]\w*(?:[ \t]+\w+){1,3})(?:[ \t]*:[ \t]*\1|\1[ \t]*(?:\([^)\n]*\)[ \t]*)?:)/y;
  words.lastIndex = start;
  const name = words.exec(source.text)?.[2];
  if (name === undefined) return;
  const { start: offset } = nodeRange(item);
  rejected.push({ name, better: makeName(name), offset, name_offset: source.text.indexOf(name, start) });
}

function makeName(name: string): string | null {
  const better = name
    .toUpperCase()
    .replace(/[^A-Z0-9_]+/g, '_')
    .replace(/^_+/, '');
  return better === '' || reservedNames.has(better) ? null : better;
}
