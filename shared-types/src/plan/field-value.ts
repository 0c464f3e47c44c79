/** A value with the way back to the plan.md it was read from. */
export interface FieldValue {
  /** Line ends are LF. */
  readonly text: string;
  /** Bullets under an empty value give lines; everything else is one text. */
  readonly form: 'plain' | 'code' | 'fence' | 'lines';
  readonly lines: readonly FieldValue[];
  /** Offset in the source of every run of characters of the text, in order. */
  readonly runs: readonly ValueRun[];
}

/** From `at` in the value on, characters stand at `source` and after in the plan. */
export interface ValueRun {
  readonly at: number;
  readonly source: number;
}

/** Collects the text of a value piece by piece. */
export class ValueBuilder {
  private text = '';
  private readonly runs: ValueRun[] = [];

  add(piece: string, source: number): void {
    this.runs.push({ at: this.text.length, source });
    this.text += piece;
  }

  build(form: FieldValue['form'], lines: readonly FieldValue[] = []): FieldValue {
    return { text: this.text, form, lines, runs: this.runs };
  }
}

/** The offset in the source of a character of the value. */
export function sourceOffset(value: FieldValue, at: number): number {
  let low = 0;
  let high = value.runs.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((value.runs[middle]?.at ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  const run = value.runs[low];
  return run === undefined ? 0 : run.source + at - run.at;
}

/** Without white space at both ends. */
export function trimValue(value: FieldValue): FieldValue {
  const start = value.text.length - value.text.trimStart().length;
  const text = value.text.trim();
  if (text.length === value.text.length) return value;
  return sliceValue(value, start, start + text.length);
}

/** Part of a value, places included. */
export function sliceValue(value: FieldValue, start: number, end: number): FieldValue {
  const runs: ValueRun[] = [{ at: 0, source: sourceOffset(value, start) }];
  for (const run of value.runs) {
    if (run.at > start && run.at < end) runs.push({ at: run.at - start, source: run.source });
  }
  return { text: value.text.slice(start, end), form: value.form, lines: [], runs };
}

/** Bullets as lines of one text; any other value as it is. */
export function joinLines(value: FieldValue): FieldValue {
  if (value.form !== 'lines') return value;
  const builder = new ValueBuilder();
  for (const [index, line] of value.lines.entries()) {
    for (const [number, run] of line.runs.entries()) {
      builder.add(line.text.slice(run.at, line.runs[number + 1]?.at), run.source);
    }
    if (index + 1 < value.lines.length) builder.add('\n', sourceOffset(line, line.text.length));
  }
  return builder.build('lines', value.lines);
}
