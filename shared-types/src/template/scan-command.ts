import type {
  CommandPart,
  CommandProblem,
  Heredoc,
  PlaceholderPart,
  QuotingContext,
} from './command-parts.ts';
import { ExpansionScanner } from './expansion-scanner.ts';
import { findHeredocBody } from './find-heredoc-body.ts';
import { readDelimiter } from './read-delimiter.ts';
import { TooDeepError } from './scan-state.ts';
import { unescapeBackticks } from './unescape-backticks.ts';
import { WordTracker } from './word-tracker.ts';

/** A bash command cut up, with the first thing in it that is opened and never closed. */
export interface ScannedCommand {
  readonly parts: readonly CommandPart[];
  /** All placeholders with their places, those inside backticks and here-documents too. */
  readonly placeholders: readonly PlaceholderPart[];
  readonly problem: CommandProblem | null;
}

/** Reads a bash command far enough to know the quoting at every placeholder. Never throws. */
export function scanCommand(command: string): ScannedCommand {
  return new CommandScanner(command, (offset) => offset, 0).scan();
}
const tooDeep: QuotingContext = {
  kind: 'unsafe',
  why: 'in a command that could not be read to its end',
  hint: 'Close what is open, or move the command into a script.',
};

const inDelimiter: QuotingContext = {
  kind: 'unsafe',
  why: 'in the delimiter of a here-document',
  hint: 'Use a fixed word as delimiter.',
};

// The outer one takes out backslashes at line ends whatever the inner quotes say.
const inNestedHeredoc: QuotingContext = {
  kind: 'unsafe',
  why: 'in a here-document within a here-document',
  hint: 'Write the inner one to a file before.',
};

/** Reads lists of commands, with their redirections, comments and here-documents. */
class CommandScanner extends ExpansionScanner {
  private pending: { heredoc: Heredoc; offset: number }[] = [];
  /** Placeholders in a command of their own, which say nothing about the word around it. */
  private readonly nested = new WeakSet<PlaceholderPart>();
  private inHeredoc = false;
  private inSubstitution = false;

  scan(): ScannedCommand {
    try {
      this.scanList(null, 0);
    } catch (error) {
      if (!(error instanceof TooDeepError)) throw error;
      return this.giveUp();
    }
    this.flush(this.text.length);
    return { parts: this.parts, placeholders: this.placeholders, problem: this.problem };
  }

  private giveUp(): ScannedCommand {
    const placeholders = [...this.placeholderAt.values()].map((placeholder): PlaceholderPart => {
      return {
        kind: 'placeholder',
        placeholder,
        offset: this.offsetOf(placeholder.start),
        context: tooDeep,
        after_backslash: false,
      };
    });
    const problem = { what: 'nesting that is too deep to follow', offset: this.offsetOf(0) };
    return { parts: [{ kind: 'text', text: this.text }, ...placeholders], placeholders, problem };
  }

  /** Commands up to `close`, or to the end. */
  private scanList(close: ')' | null, opened: number): void {
    this.enter();
    const words = new WordTracker(this.text);
    while (this.position < this.limit) {
      const start = this.position;
      const char = this.text[start] ?? '';
      const override = this.override;
      const subscript = words.inSubscript(start);
      if (subscript) this.override ??= { kind: 'integer', in_test: false };
      const part = this.takePlaceholder({ kind: 'bare' });
      if (part !== null) {
        words.touch(start, part);
      } else if (char === '\n') {
        this.position += 1;
        words.separate(start, true);
        this.readHeredocs();
      } else if (char === ' ' || char === '\t') {
        this.position += 1;
        words.separate(start, false);
      } else if (char === ';' || char === '&' || char === '|') {
        this.position += 1;
        words.separate(start, true);
      } else if (char === '#' && words.atStart) {
        this.scanComment();
      } else if (words.inTest && (char === '(' || char === ')')) {
        this.position += 1;
        words.separate(start, false);
      } else if (char === ')') {
        this.position += 1;
        if (close !== null && !words.inCase) {
          this.leave();
          this.override = override;
          return;
        }
        words.separate(start, true);
      } else if (char === '(') {
        words.separate(start, true);
        if (!(this.text[start + 1] === '(' && this.scanArithmetic(start, start + 2))) {
          this.position = start + 1;
          this.scanList(')', start);
        }
        words.separate(start, false);
      } else if (char === '<' || char === '>') {
        this.scanRedirection(char);
        words.separate(start, false);
      } else {
        const before = this.placeholders.length;
        if (!words.inWord) words.begin(start);
        if (!this.scanQuoted('bare')) this.position += 1;
        for (const inside of this.placeholders.slice(before)) {
          if (!this.nested.has(inside)) words.touch(start, inside);
        }
      }
      this.override = override;
    }
    if (close !== null) this.fail('a parenthesis', opened);
    else this.reportPending();
    this.leave();
  }

  private reportPending(): void {
    for (const { heredoc, offset } of this.pending) {
      this.fail(`a here-document that ends with the line "${heredoc.delimiter}"`, offset);
    }
    this.pending = [];
  }

  private scanComment(): void {
    while (this.position < this.limit && this.text[this.position] !== '\n') {
      if (this.text[this.position] === '\\' || this.takePlaceholder({ kind: 'comment' }) === null)
        this.position += 1;
    }
  }

  private scanRedirection(char: '<' | '>'): void {
    const start = this.position;
    if (this.text.startsWith('<<<', start)) {
      this.position += 3;
    } else if (this.text.startsWith('<<', start)) {
      this.scanHeredocOperator(start);
    } else if (this.text[start + 1] === '(') {
      this.position += 2;
      this.scanSubstitution(start);
    } else {
      this.position += char === '>' && '>|&'.includes(this.text[start + 1] ?? ' ') ? 2 : 1;
    }
  }

  private scanHeredocOperator(start: number): void {
    const strips_tabs = this.text[start + 2] === '-';
    const read = readDelimiter(this.text, start + (strips_tabs ? 3 : 2), this.limit);
    const heredoc: Heredoc = { delimiter: read.delimiter, quoted: read.quoted, strips_tabs };
    const placeholder = [...this.placeholderAt.values()].find((p) => p.start >= start && p.end <= read.end);
    if (placeholder !== undefined) {
      while (this.position < read.end) {
        if (this.takePlaceholder(inDelimiter) === null) this.position += 1;
      }
    } else {
      this.flush(start);
      this.parts.push({ kind: 'heredoc_operator', heredoc, source: this.text.slice(start, read.end) });
      this.textStart = read.end;
      this.position = read.end;
    }
    if (read.delimiter !== '' && placeholder === undefined) this.pending.push({ heredoc, offset: start });
  }

  /** The bodies of the here-documents announced on the line that just ended. */
  private readHeredocs(): void {
    const pending = this.pending;
    this.pending = [];
    for (const { heredoc, offset } of pending) {
      const body = findHeredocBody(this.text, this.position, this.limit, heredoc, this.inSubstitution);
      if (!body.closed) this.fail(`a here-document that ends with the line "${heredoc.delimiter}"`, offset);
      this.scanHeredocBody(heredoc, body.end, body.closing_end);
    }
  }

  private scanHeredocBody(heredoc: Heredoc, end: number, closing_end: number): void {
    this.flush(this.position);
    const override = this.override;
    const outer = { parts: this.parts, limit: this.limit, pending: this.pending, inHeredoc: this.inHeredoc };
    if (this.inHeredoc) this.override = inNestedHeredoc;
    this.inHeredoc = true;
    this.parts = [];
    this.limit = end;
    while (this.position < end) {
      if (heredoc.quoted) {
        if (this.text[this.position] === '\\' || this.takePlaceholder({ kind: 'quoted_heredoc' }) === null) {
          this.position += 1;
        }
      } else if (this.takePlaceholder({ kind: 'heredoc' }) === null && !this.scanQuoted('heredoc')) {
        this.position += 1;
      }
    }
    this.position = end;
    this.flush(end);
    const parts = this.parts;
    this.parts = outer.parts;
    this.limit = outer.limit;
    this.pending = outer.pending;
    this.inHeredoc = outer.inHeredoc;
    this.override = override;
    this.parts.push({ kind: 'heredoc_body', heredoc, parts, closing: this.text.slice(end, closing_end) });
    this.position = closing_end;
    this.textStart = closing_end;
  }

  /** A fresh command inside `$(` or `<(`: neither quotes nor here-documents reach into it. */
  protected override scanSubstitution(start: number): void {
    const outer = { pending: this.pending, override: this.override, inSubstitution: this.inSubstitution };
    this.inSubstitution = true;
    this.pending = [];
    if (this.override?.kind === 'integer') this.override = null;
    const before = this.placeholders.length;
    this.scanList(')', start);
    for (const part of this.placeholders.slice(before)) this.nested.add(part);
    this.reportPending();
    this.pending = outer.pending;
    this.override = outer.override;
    this.inSubstitution = outer.inSubstitution;
  }

  protected override scanBackticks(in_double_quotes: boolean): void {
    const opened = this.position;
    let end = opened + 1;
    while (end < this.limit && this.text[end] !== '`') end += this.text[end] === '\\' ? 2 : 1;
    if (end >= this.limit) {
      this.fail('a backtick', opened);
      end = this.limit;
    }
    const inner = unescapeBackticks(this.text.slice(opened + 1, end), in_double_quotes);
    const offsetOf = (offset: number) => this.offsetOf(opened + 1 + (inner.offsets[offset] ?? offset));
    this.enter();
    const scanner = new CommandScanner(inner.text, offsetOf, this.depth);
    if (this.override?.kind === 'unsafe') scanner.override = this.override;
    scanner.inHeredoc = this.inHeredoc;
    scanner.scanList(null, 0);
    scanner.flush(inner.text.length);
    this.leave();
    this.problem ??= scanner.problem;
    for (const part of scanner.placeholders) {
      this.nested.add(part);
      this.placeholders.push(part);
    }
    this.flush(opened);
    const close = Math.min(end + 1, this.limit);
    this.parts.push({
      kind: 'backticks',
      parts: scanner.parts,
      in_double_quotes,
      source: this.text.slice(opened, close),
    });
    this.position = close;
    this.textStart = close;
  }
}
