import type { ListItem } from 'mdast';
import { builtinVariables } from '../template/lookup-value.ts';
import type { DiagnosticList } from './diagnostic-list.ts';
import { parseInputMarks } from './parse-input-marks.ts';
import type { PlanInput } from './plan.ts';
import { nodeRange } from './read-markdown.ts';
import { readInlineValue } from './read-value.ts';
import type { SourceText } from './source-text.ts';
import type { Section } from './split-sections.ts';

/** An input before it is known whether anything uses it. */
export type DeclaredInput = Omit<PlanInput, 'used'> & { readonly offset: number };

/** The names that an input may not have. */
export const reservedNames: ReadonlySet<string> = new Set([...builtinVariables, 'ITEM', 'ITEM_INDEX']);

/** Reads the lists of the section Inputs. */
export function readInputs(
  source: SourceText,
  sections: readonly Section[],
  found: DiagnosticList,
): DeclaredInput[] {
  const inputs = new Map<string, DeclaredInput>();
  for (const block of sections.flatMap((section) => section.blocks)) {
    if (block.type !== 'list') continue;
    for (const item of block.children) {
      const input = readInput(source, item, found);
      if (input === null || rejectInput(input, inputs.get(input.name), found)) continue;
      inputs.set(input.name, input);
    }
  }
  return [...inputs.values()];
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
  });
  return true;
}

/** `- **NAME**: description`, `` 1. `NAME` (description) `` or `- NAME: description`. */
function readInput(source: SourceText, item: ListItem, found: DiagnosticList): DeclaredInput | null {
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
  if (match === null || name === undefined || start + match[0].length > end) return null;
  const offset = nodeRange(item).start;
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) {
    reportName(name, offset, found);
    return null;
  }
  const { value } = readInlineValue(source, paragraph, start + match[0].length);
  const description = value.form === 'code' ? `\`${value.text}\`` : value.text;
  return { name, description, ...parseInputMarks(description), position: source.positionAt(offset), offset };
}

function reportName(name: string, offset: number, found: DiagnosticList): void {
  const better = name
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .replace(/^_+/, '');
  found.add({
    severity: 'warning',
    rule: 'invalid_input_name',
    subject: name,
    message: `"${name}" cannot be used as a placeholder: names of inputs are capital letters, digits and "_".`,
    offset,
    ...(better === '' ? {} : { hint: `Write ${better}, and {${better}} in the tasks.`, suggest: better }),
  });
}
