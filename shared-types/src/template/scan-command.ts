import type {
  CommandPart,
  CommandProblem,
  Heredoc,
  PlaceholderPart,
  QuotingContext,
} from './command-parts.ts';
import { findHeredocBody } from './find-heredoc-body.ts';
import { findPlaceholders, type Placeholder } from './find-placeholders.ts';
import { readDelimiter } from './read-delimiter.ts';
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

// Deeper nesting than any person writes, and far from the end of the stack.
const deepestNesting = 100;

const tooDeep: QuotingContext = {
  kind: 'unsafe',
  why: 'in a command that could not be read to its end',
  hint: 'Close what is open, or move the command into a script.',
};

const inParameter: QuotingContext = {
  kind: 'unsafe',
  why: 'inside a $ with braces',
  hint: 'Assign it first (value={NAME}) and use "$value" there.',
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

class TooDeepError extends Error {}

class CommandScanner {
  private readonly text: string;
  private readonly offsetOf: (offset: number) => number;
  private depth: number;
  private readonly placeholderAt: ReadonlyMap<number, Placeholder>;
  private position = 0;
  /** The end of what may be read: shorter than the text inside a here-document. */
  private limit: number;
  private parts: CommandPart[] = [];
  private textStart = 0;
  private placeholders: PlaceholderPart[] = [];
  private problem: CommandProblem | null = null;
  private pending: { heredoc: Heredoc; offset: number }[] = [];
  /** What holds for every placeholder around here, whatever its quotes. */
  private override: QuotingContext | null = null;
  /** Placeholders in a command of their own, which say nothing about the word around it. */
  private readonly nested = new WeakSet<PlaceholderPart>();
  private inHeredoc = false;
  private inSubstitution = false;
  /** Starts of `((` that turned out to be two parentheses: read once only, else nesting doubles the work. */
  private readonly notArithmetic = new Set<number>();

  constructor(text: string, offsetOf: (offset: number) => number, depth: number) {
    this.text = text;
    this.offsetOf = offsetOf;
    this.depth = depth;
    this.limit = text.length;
    this.placeholderAt = new Map(
      findPlaceholders(text).map((placeholder) => [placeholder.start, placeholder]),
    );
  }

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

  private enter(): void {
    this.depth += 1;
    if (this.depth > deepestNesting) throw new TooDeepError();
  }

  private fail(what: string, offset: number): void {
    this.problem ??= { what, offset: this.offsetOf(offset) };
  }

  private flush(end: number): void {
    if (end > this.textStart) this.parts.push({ kind: 'text', text: this.text.slice(this.textStart, end) });
    this.textStart = end;
  }

  /** Takes the placeholder at the position, or the one behind a backslash there. */
  private takePlaceholder(context: QuotingContext): PlaceholderPart | null {
    const after_backslash = this.text[this.position] === '\\' && context.kind !== 'single_quotes';
    const placeholder = this.placeholderAt.get(this.position + (after_backslash ? 1 : 0));
    if (placeholder === undefined || placeholder.end > this.limit) return null;
    this.flush(this.position);
    const around = this.override ?? context;
    const part: PlaceholderPart = {
      kind: 'placeholder',
      placeholder,
      offset: this.offsetOf(placeholder.start),
      context: after_backslash ? withBackslash(around, this.text[this.position - 1]) : around,
      after_backslash,
    };
    this.parts.push(part);
    this.placeholders.push(part);
    this.position = placeholder.end;
    this.textStart = placeholder.end;
    return part;
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

  private leave(): void {
    this.depth -= 1;
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

  /** What starts with a quote, a backslash, a backtick or a dollar. False when nothing such is here. */
  private scanQuoted(within: 'bare' | 'double_quotes' | 'heredoc'): boolean {
    const start = this.position;
    const char = this.text[start];
    const next = this.text[start + 1];
    if (char === '\\') {
      this.position = Math.min(start + 2, this.limit);
    } else if (char === '`') {
      this.scanBackticks(within === 'double_quotes');
    } else if (char === "'" && within === 'bare') {
      this.scanUntil("'", { kind: 'single_quotes' }, 'a single quote', start, start + 1);
    } else if (char === '"' && within !== 'heredoc') {
      this.scanDoubleQuotes(start, start + 1);
    } else if (char !== '$') {
      return false;
    } else if (next === "'" && within === 'bare') {
      this.scanUntil("'", { kind: 'ansi_c_quotes' }, "a quote $'", start, start + 2);
    } else if (next === '"' && within === 'bare') {
      this.scanDoubleQuotes(start, start + 2);
    } else if (next === '{') {
      this.scanParameter(start);
    } else if (next === '[') {
      this.scanOldArithmetic(start);
    } else if (next === '(') {
      if (!(this.text[start + 2] === '(' && this.scanArithmetic(start, start + 3))) {
        this.position = start + 2;
        this.scanSubstitution(start);
      }
    } else {
      // `$#` and `$$` are parameters, not the start of a comment or of another expansion.
      this.position += next === '#' || next === '$' ? 2 : 1;
    }
    return true;
  }

  /** A fresh command inside `$(` or `<(`: neither quotes nor here-documents reach into it. */
  private scanSubstitution(start: number): void {
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

  private scanUntil(
    close: string,
    context: QuotingContext,
    what: string,
    opened: number,
    from: number,
  ): void {
    this.position = from;
    while (this.position < this.limit) {
      if (this.text[this.position] === close) {
        this.position += 1;
        return;
      }
      if (this.takePlaceholder(context) !== null) continue;
      this.position += context.kind === 'ansi_c_quotes' && this.text[this.position] === '\\' ? 2 : 1;
    }
    this.position = this.limit;
    this.fail(what, opened);
  }

  private scanDoubleQuotes(opened: number, from: number): void {
    this.enter();
    this.position = from;
    while (this.position < this.limit) {
      if (this.text[this.position] === '"') {
        this.position += 1;
        this.leave();
        return;
      }
      if (this.takePlaceholder({ kind: 'double_quotes' }) !== null) continue;
      if (!this.scanQuoted('double_quotes')) this.position += 1;
    }
    this.fail('a double quote', opened);
    this.leave();
  }

  private scanParameter(opened: number): void {
    this.enter();
    const override = this.override;
    this.override = inParameter;
    this.position = opened + 2;
    for (;;) {
      if (this.position >= this.limit) {
        this.fail('a brace ${', opened);
        break;
      }
      if (this.takePlaceholder(inParameter) !== null) continue;
      if (this.text[this.position] === '}') {
        this.position += 1;
        break;
      }
      // Single quotes quote here even within double quotes: bash refuses "${x:-it's}".
      if (!this.scanQuoted('bare')) this.position += 1;
    }
    this.override = override;
    this.leave();
  }

  private scanOldArithmetic(opened: number): void {
    this.enter();
    const override = this.override;
    this.override ??= { kind: 'integer', in_test: false };
    this.position = opened + 2;
    let depth = 1;
    while (this.position < this.limit && depth > 0) {
      if (this.takePlaceholder({ kind: 'integer', in_test: false }) !== null) continue;
      const char = this.text[this.position];
      if (char === '[') depth += 1;
      if (char === ']') depth -= 1;
      if (!this.scanQuoted('bare')) this.position += 1;
    }
    if (depth > 0) this.fail('a bracket $[', opened);
    this.override = override;
    this.leave();
  }

  /** `((...))`. False, with nothing taken, when these are two parentheses of commands. */
  private scanArithmetic(opened: number, from: number): boolean {
    if (this.notArithmetic.has(opened)) return false;
    this.enter();
    const saved = {
      position: this.position,
      parts: this.parts.length,
      placeholders: this.placeholders.length,
      textStart: this.textStart,
      problem: this.problem,
      override: this.override,
    };
    this.override ??= { kind: 'integer', in_test: false };
    this.position = from;
    const found = this.scanToDoubleParenthesis();
    this.override = saved.override;
    this.leave();
    if (found) return true;
    this.notArithmetic.add(opened);
    this.position = saved.position;
    this.parts.length = saved.parts;
    this.placeholders.length = saved.placeholders;
    this.textStart = saved.textStart;
    this.problem = saved.problem;
    return false;
  }

  private scanToDoubleParenthesis(): boolean {
    let depth = 0;
    while (this.position < this.limit) {
      if (this.takePlaceholder({ kind: 'integer', in_test: false }) !== null) continue;
      const char = this.text[this.position];
      if (char === '(') depth += 1;
      if (char === ')' && depth === 0) {
        if (this.text[this.position + 1] !== ')') return false;
        this.position += 2;
        return true;
      }
      if (char === ')') depth -= 1;
      if (!this.scanQuoted('bare')) this.position += 1;
    }
    return false;
  }

  private scanBackticks(in_double_quotes: boolean): void {
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

/** A backslash right before a bare value is dropped, which must not join a dollar to its quote. */
function withBackslash(context: QuotingContext, before: string | undefined): QuotingContext {
  if (context.kind === 'integer' || (context.kind === 'bare' && before === '$')) {
    return { kind: 'unsafe', why: 'behind a backslash', hint: 'Remove the backslash.' };
  }
  return context;
}
