/** A change of a text, by offsets in it. */
export interface TextChange {
  readonly at: number;
  readonly written: string;
  readonly replacement: string;
}

const pythonWords: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };

/** The changes that make JSON of what is nearly JSON: a comma too many, Python's quotes and words. Null: no such. */
export function repairJson(text: string): TextChange[] | null {
  const single = !text.includes('"');
  const changes: TextChange[] = [];
  // A string, a trailing comma, or a word; strings are found first, so that what is in them stays.
  const pattern = /"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])|'|\b(?:True|False|None)\b/g;
  for (const match of text.matchAll(pattern)) {
    const [written] = match;
    if (written.startsWith('"')) continue;
    if (written === "'" && !single) return null;
    const replacement = written === "'" ? '"' : (pythonWords[written] ?? '');
    changes.push({ at: match.index, written, replacement });
  }
  return changes.length > 0 && isJson(changeText(text, changes)) ? changes : null;
}

function changeText(text: string, changes: readonly TextChange[]): string {
  let from = 0;
  const pieces: string[] = [];
  for (const { at, written, replacement } of changes) {
    pieces.push(text.slice(from, at), replacement);
    from = at + written.length;
  }
  return pieces.join('') + text.slice(from);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
