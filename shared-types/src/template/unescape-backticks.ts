/** The command that bash runs for the text between backticks, with the offset each character came from. */
export function unescapeBackticks(
  source: string,
  in_double_quotes: boolean,
): { text: string; offsets: number[] } {
  const escaped = in_double_quotes ? '\\$`"' : '\\$`';
  const offsets: number[] = [];
  let text = '';
  for (let position = 0; position < source.length; position += 1) {
    if (source[position] === '\\' && escaped.includes(source[position + 1] ?? ' ')) position += 1;
    text += source[position] ?? '';
    offsets.push(position);
  }
  offsets.push(source.length);
  return { text, offsets };
}

/** Writes a command between backticks so that `unescapeBackticks` gives it back. */
export function escapeBackticks(command: string, in_double_quotes: boolean): string {
  // A bare `"` there would read back the same, but brace expansion, which bash does before, takes it
  // for the end of the outer quotes.
  return command.replace(in_double_quotes ? /[\\$`"]/g : /[\\$`]/g, '\\$&');
}
