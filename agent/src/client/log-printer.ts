import type { Terminal } from './terminal.ts';
import { TerminalFilter } from './terminal-filter.ts';

/** Writes output of a task: unchanged into a pipe, without control sequences to a terminal. */
export class LogPrinter {
  readonly #terminal: Terminal;
  readonly #filter: TerminalFilter | null;
  #line = '';
  #atLineStart = true;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    this.#filter = terminal.isTTY === true ? new TerminalFilter() : null;
  }

  text(text: string): void {
    this.#write(this.#filter === null ? text : this.#filter.push(text));
  }

  gap(missing: number): void {
    this.#startLine();
    this.#write(`${this.#terminal.paint.dim(`[... ${missing} bytes missing ...]`)}\n`);
  }

  /** Whatever was printed last, what comes next begins on a line of its own. */
  end(): void {
    this.#write(this.#filter?.end() ?? '');
    // A pipe gets what the task wrote, and nothing else.
    if (this.#filter !== null) this.#startLine();
    if (this.#line !== '') this.#terminal.out(this.#line);
    this.#line = '';
  }

  #startLine(): void {
    if (!this.#atLineStart) this.#write('\n');
  }

  #write(text: string): void {
    if (text === '') return;
    this.#atLineStart = text.endsWith('\n');
    if (this.#terminal.write !== undefined) {
      this.#terminal.write(text);
      return;
    }
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#terminal.out(line);
  }
}
