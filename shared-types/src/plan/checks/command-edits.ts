import type { CommandProblem } from '../../template/command-parts.ts';
import { type FieldValue, sourceOffset } from '../field-value.ts';
import type { RawField } from '../read-fields.ts';
import { removeLines, type SourceEdit } from '../source-edits.ts';
import type { SourceText } from '../source-text.ts';

const gpuChoice = /\bCUDA_VISIBLE_DEVICES=["']?[-\w{]/g;
const gpuAssignment =
  /(?:\bexport[ \t]+CUDA_VISIBLE_DEVICES=(?:"[^"\s]*"|'[^'\s]*'|[^\s;&|"'`$()]+)[ \t]*(?:;|&&|\n)|\bCUDA_VISIBLE_DEVICES=(?:"[^"\s]*"|'[^'\s]*'|[^\s;&|"'`$()]+)(?=[ \t]))[ \t]*/g;

/** Whether a command chooses a GPU. Hard-coding none at all (an empty value) hides the cards and is no choice of one. */
export function choosesGpu(command: string): boolean {
  return command.search(gpuChoice) !== -1;
}

/** Takes the assignments out, where each is one: before a program, or exported. */
export function removeGpuChoice(value: FieldValue): SourceEdit[] | undefined {
  const edits = Array.from(value.text.matchAll(gpuAssignment), (match) => ({
    start: sourceOffset(value, match.index),
    end: sourceOffset(value, match.index + match[0].length),
    replacement: '',
  }));
  return edits.length === value.text.match(gpuChoice)?.length ? edits : undefined;
}

/** Takes CUDA_VISIBLE_DEVICES out of an `env`. */
export function removeGpuVariable(source: SourceText, field: RawField, entries: number): SourceEdit | null {
  if (entries === 1) return removeLines(source, field.offset, field.end);
  const { value } = field;
  const line = value.lines.find(({ text }) => text.startsWith('CUDA_VISIBLE_DEVICES='));
  if (line !== undefined) {
    const start = sourceOffset(line, 0);
    const end = start + line.text.length;
    const bullet = /[-*+][ \t]+`?$/.exec(source.text.slice(Math.max(0, start - 20), start))?.[0] ?? '';
    return removeLines(source, start - bullet.length, bullet.endsWith('`') ? end + 1 : end);
  }
  const match = /\s*,\s*CUDA_VISIBLE_DEVICES=[^,\n]*$|CUDA_VISIBLE_DEVICES=[^,\n]*,\s*/.exec(value.text);
  if (match === null || value.form === 'fence') return null;
  const end = sourceOffset(value, match.index + match[0].length - 1) + 1;
  return { start: sourceOffset(value, match.index), end, replacement: '' };
}

/** What closes a quote or parenthesis, and where, if the rest of the command leaves no doubt. */
export function closeOpen(
  value: FieldValue,
  problem: CommandProblem,
): { edit: SourceEdit | null; hint: string } {
  const { text } = value;
  const rest = text.slice(problem.offset);
  const opener = /^\$?(["'(`])/.exec(rest)?.[1] ?? '';
  const closer = opener === '(' ? ')' : opener;
  if (closer === '')
    return { edit: null, hint: 'Close it, or put a backslash before it if it is only text.' };
  // The code lost its first or last backtick: what is left of it is text, with a backtick in it.
  const length = text.trimEnd().length;
  const isLostTick = text.split('`').length === 2 && (problem.offset === 0 || problem.offset === length - 1);
  if (opener === '`' && value.form === 'plain' && isLostTick) {
    const at = sourceOffset(value, problem.offset === 0 ? length - 1 : 0) + (problem.offset === 0 ? 1 : 0);
    return {
      edit: { start: at, end: at, replacement: '`' },
      hint: 'Write the command between two backticks.',
    };
  }
  // `don't`: the only quote, between letters, is an apostrophe.
  const apostrophe = opener === "'" && /[a-z]$/i.test(text.slice(0, problem.offset)) && /^'[a-z]/i.test(rest);
  if (apostrophe && text.split(/["'`]/).length === 2) {
    const at = sourceOffset(value, problem.offset);
    return {
      edit: { start: at, end: at, replacement: '\\' },
      hint: "Write \\' for an apostrophe, or put the words in double quotes.",
    };
  }
  const inside = rest.slice(rest.indexOf(opener) + 1);
  // Past a blank the end may be anywhere; within the last word it is at its end.
  const certain = opener === '(' ? /^[\w ./=,:+@%-]+$/.test(inside) : /^[^\s"'`$();&|<>\\]*$/.test(inside);
  const end = sourceOffset(value, text.length - 1) + 1;
  const possible = certain && value.form !== 'fence' && value.form !== 'lines';
  return {
    edit: possible ? { start: end, end, replacement: closer } : null,
    hint:
      opener === '('
        ? 'Close it with ).'
        : `Close it with ${closer}, or write \\${closer} if it is only text.`,
  };
}

/**
 * `${x:-{NAME}}` made `NAME={NAME}; ... ${x:-$NAME}`: the value goes into a variable before, where it is quoted.
 * For inline commands, whose start is the start of everything.
 */
export function assignFirst(
  value: FieldValue,
  placeholder: { readonly text: string; readonly name: string },
  offset: number,
): SourceEdit[] | undefined {
  if (value.form === 'fence' || value.form === 'lines' || value.text.includes('\n')) return undefined;
  const variable = placeholder.name.replaceAll(/\W/g, '_');
  const start = sourceOffset(value, 0);
  const at = sourceOffset(value, offset);
  return [
    { start, end: start, replacement: `${variable}=${placeholder.text}; ` },
    { start: at, end: at + placeholder.text.length, replacement: `$${variable}` },
  ];
}
