import { CONTROL } from './printable-text.ts';

/** An escape sequence that is not complete is kept back this long at most; no honest one is longer. */
const MAX_OPEN_CHARS = 200;

// biome-ignore lint/suspicious/noControlCharactersInRegex: what is let through
const COLOUR = /^\u001b\[[0-9;:]*m$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for
const OPEN = /\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b]*|[ -/]*)$/;

/**
 * Output of a task for a person's terminal, piece by piece: colours, tabs, line ends and `\r` of progress bars
 * pass; what would clear, retitle or answer through the terminal does not.
 */
export class TerminalFilter {
  #open = '';
  #coloured = false;

  push(text: string): string {
    let all = this.#open + text;
    const open = OPEN.exec(all);
    this.#open = open === null || all.length - open.index > MAX_OPEN_CHARS ? '' : all.slice(open.index);
    if (this.#open !== '') all = all.slice(0, all.length - this.#open.length);
    return all.replace(CONTROL, (found) => {
      if (!COLOUR.test(found)) return '';
      this.#coloured = true;
      return found;
    });
  }

  /** What to write at the end, so that the colours of the task end with it. */
  end(): string {
    this.#open = '';
    return this.#coloured ? '\u001b[0m' : '';
  }
}
