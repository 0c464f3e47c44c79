import { createReadStream } from 'node:fs';

/**
 * The lines of a file, without their ends. Not node:readline: it drops the errors of the file, which
 * then end the whole process.
 */
export async function* readLines(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8');
  // Pieces of a line that goes on, joined once: searching them again would be quadratic for long lines.
  let begun: string[] = [];
  for await (const bytes of createReadStream(file)) {
    const lines = decoder.decode(bytes, { stream: true }).split('\n');
    for (const [index, line] of lines.entries()) {
      begun.push(line);
      if (index === lines.length - 1) break;
      yield dropReturn(begun.join(''));
      begun = [];
    }
  }
  const last = begun.join('') + decoder.decode();
  if (last !== '') yield dropReturn(last);
}

function dropReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
