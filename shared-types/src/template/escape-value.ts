import type { PlaceholderPart } from './command-parts.ts';
import { TemplateError } from './template-error.ts';

/** Writes a value so that bash reads it back literally at the place where its placeholder stands. */
export function escapeValue(part: PlaceholderPart, value: string): string {
  const { context } = part;
  // In these contexts a backslash before the placeholder is text, but would escape what we write.
  const backslash = part.after_backslash ? '\\\\' : '';
  switch (context.kind) {
    case 'bare':
      // Always quoted, however harmless it looks: a bare `2` before `>` or a bare `if` is syntax.
      return quoteSingle(value);
    case 'double_quotes':
      return backslash + value.replace(/[\\"$`]/g, '\\$&');
    case 'single_quotes':
      return writeSingle(value);
    case 'ansi_c_quotes':
      // Left and entered again: a value after `\x4` would otherwise lend its first digits to it.
      return `${backslash}'${quoteSingle(value)}$'`;
    case 'heredoc':
      return backslash + value.replace(/[\\$`]/g, '\\$&');
    case 'quoted_heredoc':
      return value;
    case 'comment':
      return value.replace(/[\r\n]/g, ' ');
    case 'integer':
      return writeInteger(part, value);
    case 'unsafe':
      throw new TemplateError(
        'unsafe_context',
        part.placeholder.text,
        `${part.placeholder.text} stands ${context.why}, where no value can be inserted safely.`,
        context.hint,
      );
  }
}

function quoteSingle(value: string): string {
  return `'${writeSingle(value)}'`;
}

/**
 * Within single quotes. A here-document around them would still take out a backslash before a line
 * end, so the two are kept apart by quotes that close and open again.
 */
function writeSingle(value: string): string {
  return value.replaceAll("'", "'\\''").replaceAll('\\\n', "\\''\n");
}

const integer = /^([+-]?)0*(\d{1,18})$/;

/** Whether a value may stand where bash calculates. */
export function isInteger(value: string): boolean {
  return integer.test(value);
}

function writeInteger(part: PlaceholderPart, value: string): string {
  const match = integer.exec(value);
  if (match === null) {
    throw new TemplateError(
      'not_an_integer',
      part.placeholder.text,
      `${part.placeholder.text} stands where bash calculates, so its value must be a whole number, not ${JSON.stringify(value.slice(0, 60))}.`,
      'Put the value into a variable before, and check it there.',
    );
  }
  // Leading zeros would make it octal; `3--5` would be a decrement.
  if (match[1] !== '-') return match[2] ?? '0';
  return part.context.kind === 'integer' && part.context.in_test ? `-${match[2]}` : `(-${match[2]})`;
}
