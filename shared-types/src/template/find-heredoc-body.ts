import type { Heredoc } from './command-parts.ts';

/** Where the lines of a here-document end: before its closing line, and after it. */
export function findHeredocBody(
  text: string,
  from: number,
  limit: number,
  heredoc: Heredoc,
  in_substitution: boolean,
): { end: number; closing_end: number; closed: boolean } {
  let start = from;
  let continued = false;
  while (start < limit) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 || newline > limit ? limit : newline;
    const line = text.slice(start, end);
    const compared = heredoc.strips_tabs ? line.replace(/^\t+/, '') : line;
    if (!continued && compared === heredoc.delimiter) {
      return { end: start, closing_end: Math.min(end + 1, limit), closed: true };
    }
    const start_of_compared = end - compared.length;
    const rest = compared.startsWith(heredoc.delimiter) ? compared.slice(heredoc.delimiter.length) : '';
    if (!continued && in_substitution && rest.includes(')')) {
      // As bash does: `EOF)` ends the body and the substitution around it.
      return { end: start, closing_end: start_of_compared + heredoc.delimiter.length, closed: true };
    }
    // Where the body is expanded, a backslash at the end of a line joins the next to it.
    continued = !heredoc.quoted && /(?<!\\)(?:\\\\)*\\$/.test(line);
    start = end + 1;
  }
  return { end: limit, closing_end: limit, closed: false };
}
