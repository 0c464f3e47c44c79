/** Reads the word after `<<`: the closing line it names, and whether any part of it is quoted. */
export function readDelimiter(
  text: string,
  from: number,
  limit: number,
): { delimiter: string; quoted: boolean; end: number } {
  let position = from;
  while (position < limit && (text[position] === ' ' || text[position] === '\t')) position += 1;
  let delimiter = '';
  let quoted = false;
  while (position < limit && !/[\s;&|<>()]/.test(text[position] ?? ' ')) {
    const char = text[position] ?? '';
    if (char === '\\') {
      quoted = true;
      delimiter += text[position + 1] ?? '';
      position += 2;
    } else if (char === "'" || char === '"') {
      quoted = true;
      const close = text.indexOf(char, position + 1);
      const end = close === -1 || close >= limit ? limit : close;
      delimiter += text.slice(position + 1, end);
      position = end + 1;
    } else {
      delimiter += char;
      position += 1;
    }
  }
  return { delimiter, quoted, end: Math.min(position, limit) };
}
