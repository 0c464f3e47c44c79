/** How far a task says it is. */
export interface Progress {
  /** From 0 to 1. */
  readonly fraction: number;
  readonly text: string | null;
}

const MAX_TEXT = 200;

/** `::progress 0.42 message` */
const SAID = /^::progress[ \t]+(\d*\.?\d+)(?:[ \t]+(.*))?$/;
/** `42%` at the end of a line, or in front of a bar, as tqdm draws it. */
const SHOWN = /(?:^|[^\d.])(\d{1,3}(?:\.\d+)?)[ \t]?%(?:[ \t]*$|\|)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a bar may be coloured
const COLOURS = /\u001b\[[0-9;]*m/g;

/** The newest progress in the text; a bar writes over its line again and again, with `\r`. Null: there is none. */
export function findProgress(text: string): Progress | null {
  const lines = text.split(/[\r\n]+/);
  for (let at = lines.length - 1; at >= 0; at--) {
    const found = readLine((lines[at] ?? '').replace(COLOURS, '').trim());
    if (found !== null) return found;
  }
  return null;
}

function readLine(line: string): Progress | null {
  const said = SAID.exec(line);
  if (said !== null) return toProgress(Number(said[1]), said[2] ?? null);
  const shown = SHOWN.exec(line);
  return shown === null ? null : toProgress(Number(shown[1]) / 100, null);
}

function toProgress(fraction: number, text: string | null): Progress | null {
  if (!(fraction >= 0 && fraction <= 1)) return null;
  const clean =
    text
      ?.replaceAll('\0', '\uFFFD')
      .trim()
      .slice(0, MAX_TEXT)
      .replace(/[\uD800-\uDBFF]$/, '') ?? '';
  return { fraction, text: clean === '' ? null : clean };
}
